"""The vendors' pages in a real browser, at the width of a phone and of a desk, with the hooks that journeys use."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.receivers import FakeWallet, Shop
from sandbox.vendors import Vendor, wait_for

SIZES = [(390, 664), (1440, 800)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert found, "No browser: install Chromium (Debian: apt-get install chromium) or name it in $CHROMIUM."
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages that fail the test when the browser complains about anything on them."""
    complaints: list[str] = []
    contexts = []

    def open_(url: str, size: tuple[int, int], **more: Any) -> Page:
        contexts.append(browser.new_context(viewport={"width": size[0], "height": size[1]}, **more))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="module")
def shared_studio(start_vendor: Callable[..., Vendor]) -> Vendor:
    return start_vendor("studio", {"wallets": []})


def game_url(studio: Vendor, wallet: FakeWallet, game: str, player: str) -> str:
    studio.configure({"first_wait_ms": 80, "wallets": [wallet.entry]})
    query = f"wallet=w-test&session=s&player={player}&game={game}&currency=EUR&language=en"
    return f"http://127.0.0.1:{studio.port}/play?{query}&lobby_url=http://brand.localhost:1/"


def motion(wanted: bool) -> dict[str, str]:
    """With motion the reels run and the ball rolls; without it a round is told at once."""
    return {"reduced_motion": "no-preference" if wanted else "reduce"}


def assert_fits(page: Page) -> None:
    room = page.evaluate(
        "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight,"
        " ...['spin','balance','last-win','message','rules'].map(id => { const b ="
        " document.querySelector(`[data-testid=${id}]`).getBoundingClientRect();"
        " return Math.max(0, b.right - innerWidth, b.bottom - innerHeight, -b.left, -b.top) })]"
    )
    assert all(extra <= 1 for extra in room), room


@pytest.mark.parametrize("size", SIZES)
def test_the_slot_is_played(
    shared_studio: Vendor, wallet: FakeWallet, open_page: Callable[..., Page], size: tuple[int, int]
) -> None:
    player = f"slot-{size[0]}"
    page = open_page(game_url(shared_studio, wallet, "lf-midnight-orchard", player), size, **motion(size[0] == 390))
    expect(page.get_by_test_id("balance")).to_have_text("100.00")
    assert_fits(page)
    page.get_by_test_id("stake-up").click()
    expect(page.get_by_test_id("stake")).to_have_text("2.00")
    script = {"player": player, "outcomes": [{"win": "12.00"}, {"win": "1.00"}]}
    shared_studio.post("/control/outcomes", script)
    page.get_by_test_id("spin").click()
    expect(page.get_by_test_id("last-win")).to_have_text("12.00", timeout=8000)
    expect(page.get_by_test_id("balance")).to_have_text("110.00")
    expect(page.get_by_test_id("message")).to_have_text("You won 12.00 EUR.")
    expect(page.get_by_test_id("spin")).to_be_enabled()
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("Space")
    expect(page.get_by_test_id("last-win")).to_have_text("1.00", timeout=8000)
    expect(page.get_by_test_id("message")).to_have_text("1.00 EUR came back.")
    # A return below the stake is no reason to celebrate.
    expect(page.locator("#banner")).to_be_hidden()
    assert page.locator(".firefly").count() == 0
    expect(page.get_by_test_id("balance")).to_have_text("109.00")


@pytest.mark.parametrize("size", SIZES)
def test_roulette_is_played(
    shared_studio: Vendor, wallet: FakeWallet, open_page: Callable[..., Page], size: tuple[int, int]
) -> None:
    player = f"roulette-{size[0]}"
    url = game_url(shared_studio, wallet, "lf-roulette", player)
    page = open_page(url, size, **motion(size[0] == 390))
    assert_fits(page)
    for spot in ("chip-17", "chip-red", "chip-dozen-2", "chip-column-1"):
        page.get_by_test_id(spot).click()
    page.get_by_test_id("undo").click()
    page.get_by_test_id("value-5.00").click()
    page.get_by_test_id("chip-black").press("Enter")
    expect(page.get_by_test_id("stake")).to_have_text("8.00")
    shared_studio.post("/control/outcomes", {"player": player, "outcomes": [{"number": 17}]})
    page.get_by_test_id("spin").click()
    expect(page.get_by_test_id("last-win")).to_have_text("49.00", timeout=9000)
    expect(page.get_by_test_id("balance")).to_have_text("141.00")
    assert len(wallet.messages("bet")) == len(wallet.messages("win")) == 1
    assert wallet.messages("bet")[0].data["amount"] == "8.00"


def test_the_player_reads_what_went_wrong(
    shared_studio: Vendor, wallet: FakeWallet, open_page: Callable[..., Page]
) -> None:
    wallet.start = wallet.start * 0 + 1
    url = game_url(shared_studio, wallet, "lf-midnight-orchard", "poor")
    page = open_page(url, SIZES[0], **motion(False))
    page.get_by_test_id("stake-up").click()
    page.get_by_test_id("spin").click()
    expect(page.get_by_test_id("message")).to_contain_text("Not enough money")
    expect(page.get_by_test_id("balance")).to_have_text("1.00")
    wallet.trouble = lambda kind, number: "down" if kind == "win" and number < 3 else None
    shared_studio.post("/control/outcomes", {"player": "poor", "outcomes": [{"win": "12.00"}]})
    page.get_by_test_id("stake-down").click()
    page.get_by_test_id("spin").click()
    expect(page.get_by_test_id("message")).to_have_text("Your win of 12.00 EUR is safe and will be booked.")
    expect(page.get_by_test_id("message")).to_have_text("Your win has been booked.", timeout=8000)
    expect(page.get_by_test_id("balance")).to_have_text("12.00")


def test_the_payment_page_leads_back_to_the_merchant(
    start_vendor: Callable[..., Vendor], shared_studio: Vendor, shop: Shop, open_page: Callable[..., Page]
) -> None:
    psp = start_vendor("psp", {"merchants": [{"name": "Aurora", "api_key": "k", "webhook_secret": Shop.SECRET}]})
    back = f"http://brand.localhost:{shared_studio.port}/healthz"
    body = {"reference": "r", "amount": 10000, "currency": "EUR", "return_url": back, "webhook_url": shop.url}
    for number, (button, kind) in enumerate((("pay", "payment.paid"), ("decline", "payment.declined"))):
        payment = psp.post("/v1/payments", body, {"Authorization": "Bearer k", "Idempotency-Key": button})[1]
        page = open_page(payment["redirect_url"], SIZES[0])
        expect(page.get_by_test_id("amount")).to_contain_text("100.00")
        page.get_by_test_id(button).click()
        page.wait_for_url(f"{back}?payment={payment['id']}")
        wait_for(lambda seen=number: len(shop.seen) > seen, what="the webhook")
        assert shop.seen[number].verified and shop.seen[number].data["type"] == kind


def test_the_identity_page_leads_back(
    start_vendor: Callable[..., Vendor], shared_studio: Vendor, open_page: Callable[..., Page]
) -> None:
    eid = start_vendor("eid", {"relying_parties": [{"name": "Nordlys", "key": "k"}]})
    back = f"http://brand.localhost:{shared_studio.port}/healthz"
    headers = {"Authorization": "Bearer k"}
    order = eid.post("/rp/v1/orders", {"reference": "r", "return_url": back, "country": "SE"}, headers)[1]
    page = open_page(order["redirect_url"], SIZES[0])
    page.get_by_test_id("identity-2").click()
    page.get_by_test_id("approve").click()
    page.wait_for_url(f"{back}?order={order['order_id']}")
    collected = eid.post(f"/rp/v1/orders/{order['order_id']}/collect", None, headers)[1]
    assert collected["identity"]["first_name"] == "Erik"
