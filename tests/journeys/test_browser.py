"""The journey in Chromium on both brands, on a phone and on a desk. The figures are exact; trouble in the console fails."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, expect

from journeys.browser import HOW_TO_GET_ONE, PATIENCE_MS, Visit, Visiting, find_browser
from journeys.conftest import Client, Running, eventually
from journeys.test_api import letters, personal_number

expect.set_options(timeout=PATIENCE_MS)
PASSWORD = "a long enough phrase"
#: The longest that a page's balance may lag behind what the game in its frame shows.
FOLLOWS_WITHIN_MS = 2000
#: (kind, pocket, amount, balance after) of everything that the journey moves, oldest first.
STATEMENT = [
    ("deposit", "cash", "100.00", "100.00"),
    ("stake", "cash", "-1.00", "99.00"),
    ("stake", "cash", "-1.00", "98.00"), ("settle", "cash", "5.00", "103.00"),
    ("stake", "cash", "-5.00", "98.00"), ("settle", "cash", "10.00", "108.00"),
    ("reserve", "cash", "-60.00", "48.00"), ("reserve", "pending", "60.00", "60.00"),
    ("release", "pending", "-60.00", "0.00"), ("release", "cash", "60.00", "108.00"),
    ("reserve", "cash", "-60.00", "48.00"), ("reserve", "pending", "60.00", "60.00"),
    ("pay_out", "pending", "-60.00", "0.00"),
]  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody who was never here before."""

    email: str
    last_name: str
    first_name: str = "Journey"
    birth_date: str = "1988-04-05"


def somebody() -> Person:
    return Person(f"{uuid.uuid4().hex}@example.com", letters())


def register(player: Visit) -> Person:
    """From the front page through the form to the lobby."""
    person = somebody()
    player.go("/")
    player.find("nav-register").click()
    player.find("register-first-name").fill(person.first_name)
    player.find("register-last-name").fill(person.last_name)
    player.find("register-birth-date").fill(person.birth_date)
    player.find("register-email").fill(person.email)
    player.find("register-password").fill(PASSWORD)
    for document in ("terms", "privacy"):
        player.find(f"register-accept-{document}").check()
    player.find("register-submit").click()
    expect(player.find("notice")).to_be_visible()
    assert player.path() == "/"
    return person


def account(player: Visit) -> Locator:
    """The way to the account: in the top bar or in the bar below, as the size has it."""
    return player.page.locator('a[href="/account"]').filter(visible=True).first


def sign_out_and_in(player: Visit, person: Person) -> None:
    account(player).click()
    player.find("sign-out").click()
    player.find("nav-sign-in").click()
    player.find("sign-in-email").fill(person.email)
    player.find("sign-in-password").fill(PASSWORD)
    player.find("sign-in-submit").click()
    expect(account(player)).to_be_visible()
    expect(player.find("game-tile").first).to_be_visible()


def shows(player: Visit, available: str, pending: str = "0.00", within_ms: int = PATIENCE_MS) -> None:
    """The page in front of the player says so, without being loaded again."""
    expect(player.find("balance")).to_have_attribute("data-amount", available, timeout=within_ms)
    expect(player.find("balance-pending")).to_have_attribute("data-amount", pending, timeout=within_ms)


def prove_identity(player: Visit, person: Person) -> None:
    """From the gate in front of the game to the electronic id's page and back."""
    player.go("/games/lf-midnight-orchard")
    expect(player.find("gate")).to_have_attribute("data-reason", "identity_required")
    player.find("gate-action").click()
    player.find("identity-start").click()
    player.find("other").click()
    player.find("identity-other").check()
    for name, value in {
        "personal_number": personal_number(person.birth_date), "first_name": person.first_name,
        "last_name": person.last_name, "birth_date": person.birth_date, "country": "SE",
    }.items():  # fmt: skip
        player.page.locator(f"[name={name}]").fill(value)
    player.find("approve").click()
    expect(player.find("identity")).to_have_attribute("data-state", "verified")


def set_limit(player: Visit) -> None:
    player.go("/games/lf-midnight-orchard")
    expect(player.find("gate")).to_have_attribute("data-reason", "limit_required")
    player.find("gate-action").click()
    player.find("limit-month-amount").fill("5000")
    player.find("limit-month-submit").click()
    expect(player.find("notice")).to_be_visible()


def start_deposit(player: Visit, amount: str) -> None:
    """As far as the provider's page."""
    player.go("/cashier/deposit")
    player.find("deposit-amount").fill(amount)
    player.find("deposit-submit").click()
    expect(player.find("amount")).to_contain_text(amount)


def ended(player: Visit, state: str) -> str:
    """Waits until the return page tells that state; the deposit's number."""
    expect(player.find("movement")).to_have_attribute("data-state", state)
    return player.path().rsplit("/", 1)[1]


def events(demo: Running, reference: str) -> list[dict[str, Any]]:
    """The provider's webhooks about that payment."""
    found: list[dict[str, Any]] = Client(demo.facts["sandbox"]["psp"]).get(f"/control/events?reference={reference}")[
        "items"
    ]
    return found


def repeat_webhook(demo: Running, reference: str) -> None:
    psp = Client(demo.facts["sandbox"]["psp"])
    (event,) = events(demo, reference)
    told = psp.post(f"/control/events/{event['id']}/resend", {"times": 3})
    assert [one["status"] for one in told["answers"]] == [200, 200, 200]


def open_game(demo: Running, player: Visit, code: str, outcomes: list[dict[str, Any]]) -> None:
    """From the lobby into the frame, with the studio's next rounds written down beforehand."""
    player.go("/")
    player.page.locator(f'[data-testid="game-tile"][data-code="{code}"]').click()
    source = player.find("game-frame").get_attribute("src") or ""
    name = parse_qs(urlsplit(source).query)["player"][0]
    Client(demo.facts["sandbox"]["studio"]).post("/control/outcomes", {"player": name, "outcomes": outcomes})


def spin(player: Visit, balance: str) -> None:
    """One round; the figure in the frame, and that of the page around it soon after."""
    player.frame().get_by_test_id("spin").click()
    expect(player.frame().get_by_test_id("balance")).to_have_text(balance)
    shows(player, balance, within_ms=FOLLOWS_WITHIN_MS)


def play(demo: Running, player: Visit) -> None:
    """Three rounds: -1.00, +4.00, +5.00."""
    open_game(demo, player, "lf-midnight-orchard", [{"win": "0"}, {"win": "5.00"}])
    expect(player.frame().get_by_test_id("stake")).to_have_text("1.00")
    spin(player, "99.00")
    spin(player, "103.00")
    expect(player.frame().get_by_test_id("last-win")).to_have_text("5.00")
    open_game(demo, player, "lf-roulette", [{"number": 1}])
    player.frame().get_by_test_id("value-5.00").click()
    player.frame().get_by_test_id("chip-red").click()
    expect(player.frame().get_by_test_id("stake")).to_have_text("5.00")
    spin(player, "108.00")
    expect(player.frame().get_by_test_id("last-win")).to_have_text("10.00")


def request_withdrawal(player: Visit, amount: str = "60") -> str:
    player.go("/cashier/withdraw")
    player.find("withdraw-amount").fill(amount)
    player.find("withdraw-submit").click()
    return ended(player, "waiting")


def staff_signs_in(demo: Running, staff: Visit, tenant: str) -> None:
    known = next(one for one in demo.office(tenant)["staff"] if one["role"] == "payments")
    staff.go("/withdrawals")
    staff.page.get_by_label("E-mail").fill(known["email"])
    staff.page.get_by_label("Password").fill(known["password"])
    staff.page.get_by_role("button", name="Sign in").click()
    expect(staff.page.get_by_role("heading", name="Withdrawals")).to_be_visible()


def decide(staff: Visit, withdrawal: str, verb: str, text: str) -> None:
    """From the queue, where the reason stands, to the decision."""
    staff.go("/withdrawals")
    row = staff.page.locator("tr[data-row]").filter(has=staff.page.locator(f'a[href="/withdrawals/{withdrawal}"]'))
    expect(row).to_contain_text("60.00")
    expect(row.locator('[data-label="Why"] li:not(.faint)').first).to_be_visible()
    row.get_by_role("link").click()
    staff.page.locator(f"#{verb.lower()}-text").fill(text)
    staff.page.get_by_role("button", name=verb).click()
    expect(staff.page.get_by_role("status")).to_be_visible()


def statement(player: Visit) -> list[tuple[str, ...]]:
    """Every line of every page, oldest first."""
    player.go("/account/statement")
    found: list[tuple[str, ...]] = []
    while True:
        for row in player.find("statement-row").all():
            after = "".join(one for one in row.locator(".st-after").inner_text().split()[-2:] if one[-1:].isdigit())
            told = [row.get_attribute(f"data-{name}") or "" for name in ("kind", "pocket", "amount")]
            found.append((*told, after.lstrip("€")))
        if not player.find("statement-older").count():
            return found[::-1]
        player.find("statement-older").click()


@pytest.mark.parametrize(("brand", "size", "desk"), [("aurora", "phone", "desktop"), ("nordlys", "desktop", "phone")])
def test_register_deposit_play_withdraw(demo: Running, visit: Visiting, brand: str, size: str, desk: str):
    site = demo.brand(brand)
    office = demo.office(site["tenant"])["url"]
    with visit(site["url"], size) as player, visit(office, desk) as staff:
        person = register(player)
        shows(player, "0.00")
        sign_out_and_in(player, person)
        if site["jurisdiction"] == "SE":
            prove_identity(player, person)
            set_limit(player)

        start_deposit(player, "100.00")
        player.find("pay").click()
        reference = ended(player, "settled")
        shows(player, "100.00")
        repeat_webhook(demo, reference)
        play(demo, player)

        staff_signs_in(demo, staff, site["tenant"])
        rejected = request_withdrawal(player)
        shows(player, "48.00", "60.00")
        decide(staff, rejected, "Reject", "Please send a clearer document.")
        ended(player, "rejected")
        expect(player.find("movement")).to_contain_text("Please send a clearer document.")
        shows(player, "108.00")

        approved = request_withdrawal(player)
        shows(player, "48.00", "60.00")
        decide(staff, approved, "Approve", "checked")
        ended(player, "paid")
        shows(player, "48.00")
        assert statement(player) == STATEMENT


@pytest.mark.parametrize("brand", ["aurora", pytest.param("nordlys", marks=pytest.mark.long)])
def test_a_deposit_in_every_order(demo: Running, visit: Visiting, brand: str):
    """Decline, cancel, the webhook before the browser, the browser before the webhook, several webhooks: each once."""
    psp = Client(demo.facts["sandbox"]["psp"])
    site = demo.brand(brand)
    with visit(site["url"], "phone") as player:
        person = register(player)
        if site["jurisdiction"] == "SE":
            prove_identity(player, person)
            set_limit(player)
        start_deposit(player, "110.00")
        player.find("decline").click()
        ended(player, "failed")
        start_deposit(player, "120.00")
        player.find("cancel").click()
        ended(player, "cancelled")
        shows(player, "0.00")

        start_deposit(player, "200.00")
        payment = urlsplit(player.page.url).path.rsplit("/", 1)[1]
        psp.post(f"/control/payments/{payment}/pay")
        reference = psp.get("/control/payments?status=paid")["items"][0]["reference"]
        eventually(lambda: events(demo, reference)[0]["state"] == "acknowledged", what="webhook before the browser")
        player.page.reload()
        player.find("back").click()
        ended(player, "settled")
        shows(player, "200.00")

        psp.post("/control/mode", {"hold": True})
        try:
            start_deposit(player, "300.00")
            player.find("pay").click()
            expect(player.find("movement")).to_be_visible()
            reference = player.path().rsplit("/", 1)[1]
            psp.post("/control/mode", {"hold": False, "duplicate": 2})
            psp.post("/control/release")
            ended(player, "settled")
            shows(player, "500.00")
        finally:
            psp.call("DELETE", "/control/mode")
        eventually(lambda: events(demo, reference)[0]["state"] == "acknowledged", what="webhook after the browser")
        repeat_webhook(demo, reference)
        assert statement(player) == [("deposit", "cash", "200.00", "200.00"), ("deposit", "cash", "300.00", "500.00")]


def test_money_moves_without_script(demo: Running, visit: Visiting):
    """Register, prove who one is, set a limit, deposit, withdraw and read the statement, all by plain forms."""
    with visit(demo.brand("nordlys")["url"], "phone", script=False) as player:
        person = register(player)
        prove_identity(player, person)
        set_limit(player)
        start_deposit(player, "100.00")
        player.find("pay").click()
        reference = ended_without_script(player, "settled")
        expect(player.find("cashier-available").or_(player.find("balance"))).to_contain_text("100.00")

        player.go("/cashier/withdraw")
        player.find("withdraw-amount").fill("60,00")
        player.find("withdraw-submit").click()
        ended_without_script(player, "waiting")
        player.go("/cashier")
        expect(player.find("balance")).to_contain_text("40.00")
        expect(player.find("movement-row")).to_have_count(2)
        assert statement(player) == [
            ("deposit", "cash", "100.00", "100.00"), ("reserve", "cash", "-60.00", "40.00"),
            ("reserve", "pending", "60.00", "60.00"),
        ]  # fmt: skip
        assert reference


def ended_without_script(player: Visit, state: str) -> str:
    """As `ended`, for a page that does not ask by itself: the person loads it again."""
    eventually(
        lambda: player.find("movement").get_attribute("data-state") == state or not player.page.reload(), what=state
    )
    return player.path().rsplit("/", 1)[1]


def test_trouble_on_a_page_fails_the_visit_and_shows_it(demo: Running, visit: Visiting, tmp_path: Path):
    """The twin of all journeys: what they would have noticed."""
    base = demo.brand("aurora")["url"]
    with pytest.raises(AssertionError, match=r"404: GET .*/no-such-page") as caught, visit(base, "phone") as player:
        player.go("/no-such-page")
    assert (tmp_path / "aurora-phone.png").is_file()
    assert str(tmp_path / "aurora-phone.png") in "".join(caught.value.__notes__)
    with pytest.raises(AssertionError, match="Content Security Policy"), visit(base, "desktop") as player:
        player.go("/")
        player.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'void 0'}))")
        player.page.wait_for_function("true")
    with visit(base, "desktop") as player:
        player.go("/")


def test_without_a_browser_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    found = find_browser()
    assert found, HOW_TO_GET_ONE
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "nothing"))
    assert find_browser() is None
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() is None
    (tmp_path / "google-chrome").symlink_to(found)
    assert find_browser() == str(tmp_path / "google-chrome")
    assert "apt-get install chromium" in HOW_TO_GET_ONE and "CHROMIUM" in HOW_TO_GET_ONE
