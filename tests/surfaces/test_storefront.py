"""The storefront as players use it: through the whole application, page by page and form by form, without script."""

from __future__ import annotations

import gzip
import re
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from people import PASSWORD, brand_site, register, unique_name
from surfaces.office import Browser, balances, funded, money, words
from whitefelt import accounts, cashier, compliance, tenancy, wallet
from whitefelt.kernel import clock, db
from whitefelt.kernel.context import TenantRef
from whitefelt.surfaces.storefront import wording

ALPHA, BRAVO = "alpha.localhost", "bravo.localhost"


def form_of(tenant: TenantRef, **changed: str) -> dict[str, str]:
    """A registration that is admitted, but for what is changed."""
    site, name = brand_site(tenant), unique_name()
    documents = compliance.ruleset(site.jurisdiction, clock.now()).documents
    told = {
        "first_name": "Ada", "last_name": name, "birth_date": "1990-05-17", "country": site.jurisdiction,
        "email": f"{name.lower()}@example.com", "password": PASSWORD,
        **{f"accept_{document}": version for document, version in documents.items()},
    }  # fmt: skip
    return {**told, **changed}


def signed_in(tenant: TenantRef, player: accounts.Player) -> Browser:
    browser = Browser(brand_site(tenant).host)
    with db.unit_of_work(tenant) as work:
        token = accounts.open_player_session(work, player).token
    browser.client.set_cookie(accounts.SESSION_COOKIE, token, domain=browser.host)
    browser.get("/")
    return browser


def by_testid(response: TestResponse, testid: str) -> list[str]:
    """The text of the elements with that hook (elements without children)."""
    found = re.findall(rf'data-testid="{testid}"[^>]*>([^<]*)<', response.text)
    return [one.replace("\u00a0", " ") for one in found]


# --- coming in -------------------------------------------------------------------------------------------------------


def test_a_stranger_sees_the_lobby_with_every_legal_region(alpha: TenantRef) -> None:
    response = Browser(ALPHA).get("/")
    assert response.status_code == 200
    assert "Alpha One" in response.text and "18+" in words(response)
    for slot in ("legal.footer", "safer_gambling.bar", "session.clock", "licence.seal", "age.gate"):
        assert f'data-slot="{slot}"' in response.text
    assert 'data-testid="balance"' not in response.text


def test_a_page_is_small_and_loads_nothing_from_elsewhere(alpha: TenantRef) -> None:
    response = Browser(ALPHA).get("/")
    assert len(gzip.compress(response.data)) < 60_000
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", response.text)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    browser = Browser(ALPHA)
    links = re.findall(r'(?:href|src)="(/-/[^"]+)"', response.text)
    assert len(links) >= 5
    for link in links:
        kept = browser.get(link)
        assert kept.status_code == 200, link
        assert "immutable" in kept.headers["Cache-Control"]
        assert browser.get(re.sub(r"[0-9a-f]{16}", "0" * 16, link)).status_code == 404


def test_registering_opens_an_account_and_a_session(alpha: TenantRef) -> None:
    browser = Browser(ALPHA)
    browser.get("/register")
    told = form_of(alpha)
    response = browser.post("/register", **told)
    assert (response.status_code, response.location) == (303, "/?done=registered")
    lobby = browser.get("/?done=registered")
    assert by_testid(lobby, "balance") == ["€0.00"]
    assert "Your account is ready" in words(lobby)
    assert browser.post("/sign-out").location == "/?done=signed_out"
    assert by_testid(browser.get("/"), "balance") == []
    assert browser.sign_in(told["email"], "/account", PASSWORD).location == "/account?done=signed_in"
    assert told["email"] in words(browser.get("/account"))


@pytest.mark.parametrize(
    ("changed", "hook", "told"),
    [
        ({"birth_date": "2015-01-01"}, "register-birth-date", "at least 18"),
        ({"birth_date": "17/5/1990"}, "register-birth-date", "YYYY-MM-DD"),
        ({"email": "nobody"}, "register-email", ""),
        ({"password": "short"}, "register-password", ""),
        ({"last_name": ""}, "register-last-name", ""),
        ({"country": "US"}, "register-country", "not served"),
        ({"accept_terms": ""}, "register-accept-terms", "Accept version"),
        ({"accept_terms": "1999-01"}, "register-accept-terms", "Accept version"),
        ({"accept_privacy": "", "last_name": ""}, "register-accept-privacy", "Accept version"),  # All at once.
    ],
)
def test_each_fault_is_told_at_its_field(alpha: TenantRef, changed: dict[str, str], hook: str, told: str) -> None:
    browser = Browser(ALPHA)
    browser.get("/register")
    typed = form_of(alpha, **changed)
    response = browser.post("/register", **typed)
    assert response.status_code == 422
    assert re.search(rf'aria-describedby="[^"]*{hook}-error', response.text)
    error = re.search(rf'id="{hook}-error">(.*?)</p>', response.text, re.DOTALL)
    assert error and told in re.sub(r"<[^>]*>", "", error.group(1))
    if "email" not in changed:
        assert f'value="{typed["email"]}"' in response.text, "what was typed is kept"
    assert PASSWORD not in response.text, "but never a password"


def test_one_account_per_person(alpha: TenantRef) -> None:
    browser = Browser(ALPHA)
    browser.get("/register")
    told = form_of(alpha)
    assert browser.post("/register", **told).status_code == 303
    other = Browser(ALPHA)
    other.get("/register")
    refused = other.post("/register", **{**told, "email": f"other-{told['email']}"})
    assert refused.status_code == 409 and "Sign in instead" in words(refused)


def test_a_wrong_password_opens_nothing(alpha: TenantRef) -> None:
    player = register(alpha)
    browser = Browser(ALPHA)
    browser.get("/sign-in")
    refused = browser.post("/sign-in", email=player.email, password="not the password", next="/")
    assert refused.status_code == 401 and 'data-testid="form-error"' in refused.text
    assert browser.get("/account").location == "/sign-in?next=/account"


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil", "/-/balance", "javascript:x", ""]
)
def test_signing_in_leads_nowhere_else(alpha: TenantRef, onward: str) -> None:
    player = register(alpha)
    browser = Browser(ALPHA)
    page = browser.get(f"/sign-in?next={quote(onward)}")
    assert 'name="next" value="/"' in page.text
    signed = browser.post("/sign-in", email=player.email, password=PASSWORD, next=onward)
    assert signed.location == "/?done=signed_in"


def test_the_other_operators_session_counts_for_nothing(alpha: TenantRef, bravo: TenantRef) -> None:
    own = signed_in(alpha, register(alpha))
    assert own.get("/account").status_code == 200
    cookie = own.client.get_cookie(accounts.SESSION_COOKIE, domain=ALPHA)
    assert cookie is not None
    stranger = Browser(BRAVO)
    stranger.client.set_cookie(accounts.SESSION_COOKIE, cookie.value, domain=BRAVO)
    assert stranger.get("/account").location == "/sign-in?next=/account"
    assert stranger.get("/-/balance").status_code == 401


POSTS = ["/register", "/sign-in", "/sign-out", "/cashier/deposit", "/cashier/withdraw", "/account/limits", "/account/break",
         "/account/identity"]  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
def test_no_form_without_its_token(alpha: TenantRef, path: str) -> None:
    browser = signed_in(alpha, register(alpha))
    browser.token = "0" * 64
    refused = browser.post(path)
    assert refused.status_code == 403 and 'data-code="csrf_failed"' in refused.text
    assert "Your money is untouched" in words(refused)


# --- money -----------------------------------------------------------------------------------------------------------


def test_the_balance_answers_304_until_something_moves(alpha: TenantRef) -> None:
    player = funded(alpha, "100")
    browser = signed_in(alpha, player)
    first = browser.get("/-/balance")
    assert first.json["available"] == {"text": "€100.00", "amount": "100.00"}
    tag = first.headers["ETag"]
    same = browser.get("/-/balance", **{"If-None-Match": tag})
    assert (same.status_code, same.data) == (304, b"")
    assert f'data-version="{tag.strip(chr(34))}"' in browser.get("/").text
    cashier.withdrawals.request(alpha, player, money("60", "EUR"), "card")
    moved = browser.get("/-/balance", **{"If-None-Match": tag})
    assert moved.status_code == 200
    assert (moved.json["available"]["amount"], moved.json["pending"]["amount"]) == ("40.00", "60.00")


def test_withdrawing_by_the_form(alpha: TenantRef) -> None:
    player = funded(alpha, "108")
    browser = signed_in(alpha, player)
    page = browser.get("/cashier/withdraw")
    assert by_testid(page, "withdraw-available") == ["€108.00"]
    key = re.search(r'name="request_key" value="([0-9a-f]+)"', page.text)
    assert key
    sent = browser.post("/cashier/withdraw", amount="60", method="card", request_key=key.group(1))
    assert sent.status_code == 303
    again = browser.post("/cashier/withdraw", amount="60", method="card", request_key=key.group(1))
    assert again.location == sent.location, "a form sent twice asks once"
    shown = browser.get(sent.location)
    assert 'data-state="waiting"' in shown.text
    assert (by_testid(shown, "balance"), by_testid(shown, "balance-pending")) == (["€48.00"], ["€60.00"])
    assert balances(alpha, player).pending == money("60", "EUR")
    other = browser.post("/cashier/withdraw", amount="7", method="card", request_key=key.group(1))
    assert other.status_code == 422 and "sent before" in words(other)


@pytest.mark.parametrize(
    ("amount", "told"),
    [("", "Type the amount"), ("abc", "in figures"), ("1.001", "2 decimals"), ("500", "can be paid out"), ("0", "how much"),
     ("-5", "in figures")],
)  # fmt: skip
def test_withdrawals_that_cannot_be(alpha: TenantRef, amount: str, told: str) -> None:
    player = funded(alpha, "100")
    browser = signed_in(alpha, player)
    browser.get("/cashier/withdraw")
    refused = browser.post("/cashier/withdraw", amount=amount, method="card", request_key="k1")
    assert refused.status_code == 422 and told in words(refused)
    assert balances(alpha, player).cash == money("100", "EUR")


def test_someone_elses_movement_is_not_there(alpha: TenantRef) -> None:
    owner = funded(alpha)
    found = cashier.withdrawals.request(alpha, owner, money("60", "EUR"), "card")
    with db.unit_of_work(alpha) as work:
        deposit_id = cashier.deposits_of(work, owner.id)[0].public_id
    theirs, mine = signed_in(alpha, register(alpha)), signed_in(alpha, owner)
    for path in (f"/cashier/withdraw/{found.public_id}", f"/-/withdrawal/{found.public_id}", f"/cashier/deposit/{deposit_id}", f"/-/deposit/{deposit_id}"):  # fmt: skip
        assert theirs.get(path).status_code == 404, path
        assert mine.get(path).status_code == 200, path


def test_the_statement_shows_every_debit_and_credit(alpha: TenantRef) -> None:
    player = funded(alpha, "100")
    cashier.withdrawals.request(alpha, player, money("60", "EUR"), "card")
    browser = signed_in(alpha, player)
    text = browser.get("/account/statement").text
    rows = re.findall(
        r'data-testid="statement-row" data-kind="(\w+)" data-pocket="(\w+)" data-amount="([-0-9.]+)"', text
    )
    assert sorted(rows) == [
        ("deposit", "cash", "100.00"),
        ("reserve", "cash", "-60.00"),
        ("reserve", "pending", "60.00"),
    ]


def test_the_statement_goes_back_page_by_page(alpha: TenantRef) -> None:
    player = register(alpha)
    with db.money_work(alpha) as work:
        pockets = wallet.find_pockets(work, player.owner, "EUR")
        assert pockets is not None
        house = wallet.house_pocket(work, "psp:0", "EUR")
        for number in range(1, 61):
            wallet.deposit(
                work, source=0, ref=f"deposit:{player.public_id}:{number}", pockets=pockets, money=money(str(number), "EUR"),
                house=house,
            )  # fmt: skip
    browser, path, seen = signed_in(alpha, player), "/account/statement", []
    while path:
        text = browser.get(path).text
        seen += re.findall(r'data-pocket="cash" data-amount="([0-9.]+)"', text)
        older = re.search(r'href="(/account/statement\?before=\d+)"', text)
        path = older.group(1) if older else ""
    assert seen == [f"{number}.00" for number in range(60, 0, -1)]


def test_a_deposit_needs_identity_and_limit_where_the_market_asks(bravo: TenantRef) -> None:
    player = register(bravo)
    browser = signed_in(bravo, player)
    assert 'data-reason="identity_required"' in browser.get("/cashier/deposit").text
    assert 'data-testid="deposit-submit"' not in browser.get("/cashier/deposit").text
    game = browser.get("/account/limits")
    assert "You need a limit" in words(game)
    assert (
        browser.post("/account/limits", period="day", amount="1 000,50").location == "/account/limits?done=limit_saved"
    )
    assert "1,000.50 kr" in words(browser.get("/account/limits"))
    later = browser.post("/account/limits", period="day", amount="5000")
    assert later.location == "/account/limits?done=limit_later"
    assert "Changes to 5,000.00 kr" in words(browser.get("/account/limits"))


def test_a_market_without_these_duties_shows_the_form(alpha: TenantRef) -> None:
    page = signed_in(alpha, register(alpha)).get("/cashier/deposit")
    assert 'data-testid="deposit-submit"' in page.text and 'data-testid="gate"' not in page.text
    (pay,) = tenancy.integrations_of(alpha, "pay")
    assert f"form-action 'self' {pay.config['origin']}" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("amount", "told"), [("", "Choose an amount"), ("1,000", "in figures"), ("1", "smallest amount"), ("1e3", "in figures")])  # fmt: skip
def test_deposits_that_cannot_be(alpha: TenantRef, amount: str, told: str) -> None:
    browser = signed_in(alpha, register(alpha))
    browser.get("/cashier/deposit")
    refused = browser.post("/cashier/deposit", amount=amount, method="card")
    assert refused.status_code == 422 and told in words(refused)


def test_a_limit_holds_at_the_form(alpha: TenantRef) -> None:
    player = register(alpha)
    browser = signed_in(alpha, player)
    browser.get("/account/limits")
    assert browser.post("/account/limits", period="week", amount="50").status_code == 303
    refused = browser.post("/cashier/deposit", amount="51", method="card")
    assert refused.status_code == 422 and "limit" in words(refused)


def test_a_provider_out_of_reach_is_told_and_nothing_is_charged(alpha: TenantRef) -> None:
    player = register(alpha)
    browser = signed_in(alpha, player)
    browser.get("/cashier/deposit")
    sent = browser.post("/cashier/deposit", amount="20", method="card")
    assert sent.status_code == 303
    shown = browser.get(sent.location)
    assert 'data-state="failed"' in shown.text and "Your money is untouched" in words(shown)


# --- safer play ------------------------------------------------------------------------------------------------------


def test_a_break_is_two_taps_away_and_starts_at_once(alpha: TenantRef) -> None:
    player = register(alpha)
    browser = signed_in(alpha, player)
    assert 'href="/account/break"' in browser.get("/").text
    browser.get("/account/break")
    assert browser.post("/account/break").status_code == 422
    assert browser.post("/account/break", length="time_out:99d").status_code == 422
    assert browser.get("/account").status_code == 200, "a refused form ends nothing"
    option = re.search(r'value="(time_out:\w+)"', browser.get("/account/break").text)
    assert option
    started = browser.post("/account/break", length=option.group(1))
    assert started.location == "/?done=break_started"
    assert browser.get("/account").location == "/sign-in?next=/account", "every session ends"
    browser = signed_in(alpha, player)
    assert 'data-reason="excluded"' in browser.get("/cashier/deposit").text
    assert "You are taking a break" in words(browser.get("/account"))


def test_legal_documents_in_the_version_in_force(alpha: TenantRef) -> None:
    version = compliance.ruleset("MT", clock.now()).documents["terms"]
    page = Browser(ALPHA).get("/legal/terms")
    assert page.status_code == 200 and f"version {version}" in words(page)
    assert "{" not in words(page), "every word is filled in"
    assert Browser(ALPHA).get("/legal/nothing").status_code == 404


# --- failing ---------------------------------------------------------------------------------------------------------


def test_a_page_that_is_not_there(alpha: TenantRef) -> None:
    page = Browser(ALPHA).get("/nowhere/<script>")
    assert page.status_code == 404
    assert "There is no such page" in words(page) and "Your money is untouched" in words(page)
    assert "Alpha One" in page.text and "<script>" not in page.text.replace("<script src", "")


def test_an_unexpected_fault_is_a_page_too(alpha: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(alpha, register(alpha))
    assert browser.get("/account").status_code == 200
    monkeypatch.setattr(compliance, "limits", lambda *_: 1 / 0)
    page = browser.get("/account")
    assert page.status_code == 500 and 'data-code="internal_error"' in page.text
    assert "division" not in page.text and 'data-slot="legal.footer"' in page.text


def test_an_unknown_notice_is_not_repeated(alpha: TenantRef) -> None:
    assert 'data-testid="notice"' not in Browser(ALPHA).get("/?done=you-won").text
    assert 'data-testid="notice"' in Browser(ALPHA).get("/?done=signed_out").text


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("108", "EUR", "€108.00"), ("1234.5", "SEK", "1,234.50 kr"), ("0.000001", "EUR", "€0.000001"), ("500", "JPY", "¥500"),
        ("1.234", "KWD", "1.234 KD"), ("0.00000001", "BTC", "₿0.00000001"),
    ],
)  # fmt: skip
def test_money_shows_every_digit(amount: str, currency: str, text: str) -> None:
    shown = wording.money(money(amount, currency))
    assert shown.replace("\u00a0", " ") == text
    assert wording.money(-money(amount, currency)) == f"\N{MINUS SIGN}{shown}"
    assert wording.money(money(amount, currency), signed=True) == f"+{shown}"


@pytest.mark.parametrize(
    ("typed", "read"),
    [("100", "100"), (" 1 000,50 ", "1000.50"), ("1,000.50", "1000.50"), ("1,000", "1,000"), ("12,3", "12.3"), ("1.000,5", "1.000,5")],
)  # fmt: skip
def test_doubtful_amounts_stay_as_typed(typed: str, read: str) -> None:
    assert wording.typed_amount(typed) == read
