"""The back office as staff uses it: through the whole application, page by page and form by form."""

from __future__ import annotations

import re
import uuid

import pytest

from surfaces.office import (
    PASSWORD,
    Browser,
    application,
    balances,
    browser_of,
    funded,
    money,
    office_host,
    staff,
    waiting,
    words,
)
from whitefelt import accounts, audit, cashier
from whitefelt.kernel import db, routes
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.outbox_models import DeliveryRow

PAGES = [
    ("/withdrawals", "withdrawals.read"), ("/players", "players.read"), ("/deliveries", "deliveries.read"),
    ("/audit", "audit.read"),
]  # fmt: skip


def last_audit(tenant: TenantRef, subject: str) -> audit.Entry:
    with db.unit_of_work(tenant) as work:
        return audit.entries(work, subject=subject, limit=1)[0]


# --- the door --------------------------------------------------------------------------------------------------------


def test_staff_signs_in_and_lands_where_it_wanted_to_go(alpha: TenantRef) -> None:
    browser = Browser(office_host(alpha))
    asked = browser.get("/withdrawals?status=paid")
    assert (asked.status_code, asked.location) == (303, "/sign-in?next=%2Fwithdrawals%3Fstatus%3Dpaid")
    signed_in = browser.sign_in(staff(alpha, "payments").email, "/withdrawals?status=paid")
    assert (signed_in.status_code, signed_in.location) == (303, "/withdrawals?status=paid")
    assert "Nora Lind payments" in words(browser.get("/withdrawals?status=paid"))
    assert browser.post("/sign-out").location == "/sign-in"
    assert browser.get("/withdrawals").location == "/sign-in?next=%2Fwithdrawals"


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x", ""])
def test_signing_in_leads_nowhere_else(alpha: TenantRef, onward: str) -> None:
    assert Browser(office_host(alpha)).sign_in(staff(alpha, "payments").email, onward).location == "/"


def test_a_wrong_password_is_one_sentence_and_no_session(alpha: TenantRef) -> None:
    browser = Browser(office_host(alpha))
    refused = browser.sign_in(staff(alpha, "payments").email, password="something else entirely")
    assert refused.status_code == 401 and PASSWORD not in refused.text
    assert browser.get("/").location == "/sign-in"
    assert browser.sign_in("nobody@example.com").status_code == 401


def test_a_form_without_the_pages_token_is_refused(alpha: TenantRef) -> None:
    _, withdrawal_id = waiting(alpha)
    browser = browser_of(alpha, "payments")
    refused = browser.post(f"/withdrawals/{withdrawal_id}/approve", csrf_token="0" * 64)
    assert refused.status_code == 403 and "csrf_failed" in refused.text
    browser.get(f"/withdrawals/{withdrawal_id}")
    assert browser.post(f"/withdrawals/{withdrawal_id}/approve").status_code == 303


@pytest.mark.parametrize("role", sorted(accounts.ROLES))
def test_a_role_sees_what_it_may_do_and_is_refused_the_rest(alpha: TenantRef, role: str) -> None:
    browser = browser_of(alpha, role)
    start = browser.get("/")
    assert start.status_code == 200
    for path, permission in PAGES:
        may = permission in accounts.ROLES[role]
        assert (f'href="{path}"' in start.text) == may, path
        response = browser.get(path)
        assert response.status_code == (200 if may else 403), path
        if not may:
            assert "forbidden" in response.text and "Trace" in response.text


def test_every_view_but_the_door_needs_staff_and_nearly_every_one_a_permission() -> None:
    office = [route for route in application().registry.routes if route.site == "backoffice" and not route.api]
    anyone = {route.rule for route in office if route.access.audience == "anyone"}
    assert anyone == {"/-/console/<digest>/<name>", "/sign-in"}
    plain = {route.rule for route in office if route.access == routes.Access("staff")}
    assert plain == {"/", "/sign-out"}


def test_another_operators_staff_is_nobody_here(alpha: TenantRef, bravo: TenantRef) -> None:
    _, withdrawal_id = waiting(alpha)
    at_home = browser_of(bravo, "payments")
    assert at_home.get("/withdrawals").status_code == 200
    assert at_home.get(f"/withdrawals/{withdrawal_id}").status_code == 404
    cookie = at_home.client.get_cookie(accounts.SESSION_COOKIE, domain=at_home.host)
    assert cookie is not None
    abroad = Browser(office_host(alpha))
    abroad.client.set_cookie(accounts.SESSION_COOKIE, cookie.value, domain=abroad.host)
    assert abroad.get("/withdrawals").status_code == 303
    assert browser_of(alpha, "payments").get(f"/withdrawals/{withdrawal_id}").status_code == 200


# --- withdrawals -----------------------------------------------------------------------------------------------------


def test_the_queue_says_who_how_much_how_long_and_why(alpha: TenantRef) -> None:
    player, withdrawal_id = waiting(alpha)
    queue = browser_of(alpha, "payments").get("/withdrawals")
    told = words(queue)
    assert player.name in told and "60.00 EUR" in told
    assert "first withdrawal" in told and f"/withdrawals/{withdrawal_id}" in queue.text


def test_a_decision_and_its_consequence_are_on_one_page_and_approving_is_written_down(alpha: TenantRef) -> None:
    player, withdrawal_id = waiting(alpha)
    browser = browser_of(alpha, "payments")
    told = words(browser.get(f"/withdrawals/{withdrawal_id}"))
    assert "Sends 60.00 EUR to the player's card by sandpay" in told
    assert "Returns 60.00 EUR to the player's cash" in told
    assert "Cash 40.00 100.00 Pending 60.00 0.00" in told
    done = browser.post(f"/withdrawals/{withdrawal_id}/approve", note="name matches")
    assert (done.status_code, done.location) == (303, f"/withdrawals/{withdrawal_id}?done=approved")
    after = words(browser.get(done.location or ""))
    assert "Decided by Nora Lind" in after and "name matches" in after
    entry = last_audit(alpha, f"withdrawal:{withdrawal_id}")
    assert (entry.action, entry.actor_name, entry.reason) == ("withdrawal.approved", "Nora Lind", "name matches")
    assert balances(alpha, player).cash == money("40", "EUR")
    again = browser.post(f"/withdrawals/{withdrawal_id}/reject", reason="too late")
    assert again.status_code == 409 and "Nora Lind has approved this withdrawal already." in words(again)


def test_rejecting_needs_a_reason_and_returns_the_money(alpha: TenantRef) -> None:
    player, withdrawal_id = waiting(alpha)
    browser = browser_of(alpha, "payments")
    browser.get(f"/withdrawals/{withdrawal_id}")
    refused = browser.post(f"/withdrawals/{withdrawal_id}/reject", reason="   ")
    assert refused.status_code == 422 and 'aria-invalid="true"' in refused.text
    assert balances(alpha, player).pending == money("60", "EUR")
    reason = "The <script>card</script> is someone else's."
    assert browser.post(f"/withdrawals/{withdrawal_id}/reject", reason=reason).status_code == 303
    page = browser.get(f"/withdrawals/{withdrawal_id}")
    assert "<script>card" not in page.text and "The &lt;script&gt;card" in page.text
    assert balances(alpha, player).cash == money("100", "EUR")
    assert balances(alpha, player).pending == money("0", "EUR")


def test_who_may_only_look_sees_no_button_and_cannot_decide(alpha: TenantRef) -> None:
    player, withdrawal_id = waiting(alpha)
    browser = browser_of(alpha, "support")
    page = browser.get(f"/withdrawals/{withdrawal_id}")
    assert "Approve 60.00" not in words(page) and player.last_name not in page.text
    for action, fields in (("approve", {}), ("reject", {"reason": "no"})):
        assert browser.post(f"/withdrawals/{withdrawal_id}/{action}", **fields).status_code == 403
    with db.unit_of_work(alpha) as work:
        assert cashier.withdrawals.get(work, withdrawal_id).status == "waiting"
    assert "Approve 60.00" in words(browser_of(alpha, "payments").get(f"/withdrawals/{withdrawal_id}"))


def test_the_queue_turns_its_pages(alpha: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    from whitefelt.surfaces.backoffice import withdrawals

    monkeypatch.setattr(withdrawals, "PAGE_SIZE", 2)
    made = [waiting(alpha)[1] for _ in range(3)]
    browser = browser_of(alpha, "payments")
    first = browser.get("/withdrawals")
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older is not None and made[2] in first.text and made[0] not in first.text
    second = browser.get(older.group(1).replace("&amp;", "&"))
    assert made[0] in second.text and made[2] not in second.text


@pytest.mark.parametrize(
    "path", ["/withdrawals/nonsense", "/withdrawals/3a8cd611-0b9e-40c1-811a-4a34ac9c2f95", "/players/1", "/nothing"]
)
def test_what_is_not_there_is_a_calm_page(alpha: TenantRef, path: str) -> None:
    response = browser_of(alpha, "payments").get(path)
    assert response.status_code == 404 and "Trace" in response.text and "Back to the start page" in response.text


# --- players ---------------------------------------------------------------------------------------------------------


def test_players_are_found_by_address_name_and_number(alpha: TenantRef) -> None:
    player = funded(alpha)
    browser = browser_of(alpha, "payments")
    for query in (player.email, player.email.upper(), player.last_name, player.public_id):
        found = browser.get(f"/players?query={query}")
        assert f"/players/{player.public_id}" in found.text, query
    assert "Nobody found" in words(browser.get("/players?query=surely-nobody"))


def test_personal_data_is_masked_until_it_is_asked_for_and_the_look_is_written_down(alpha: TenantRef) -> None:
    player = funded(alpha)
    browser = browser_of(alpha, "payments")
    masked = browser.get(f"/players/{player.public_id}")
    assert player.email not in masked.text and "Show in full" in masked.text
    full = browser.post(f"/players/{player.public_id}/reveal")
    assert full.status_code == 200 and player.email in full.text and "17 May 1990" in words(full)
    entry = last_audit(alpha, f"player:{player.public_id}")
    assert (entry.action, entry.actor_name) == ("player.revealed", "Nora Lind")
    assert player.email not in browser.get(f"/players/{player.public_id}").text
    support = browser_of(alpha, "support")
    page = support.get(f"/players/{player.public_id}")
    assert player.last_name not in page.text and "Show in full" not in page.text
    assert support.post(f"/players/{player.public_id}/reveal").status_code == 403


def test_a_players_money_is_told_to_the_unit(alpha: TenantRef) -> None:
    player, withdrawal_id = waiting(alpha)
    browser = browser_of(alpha, "payments")
    path = f"/players/{player.public_id}"
    assert "Cash 40.00 Bonus 0.00 Pending 60.00 In open rounds 0.00" in words(browser.get(path))
    timeline = browser.get(path)
    assert "Withdrawal asked for cash to pending" in words(timeline)
    assert f'href="/withdrawals/{withdrawal_id}"' in timeline.text
    statement = words(browser.get(f"{path}?show=statement"))
    for line in ("cash 100.00 100.00", "cash −60.00 40.00", "pending 60.00 60.00"):
        assert line in statement, line
    assert browser.get(f"{path}?show=rounds").status_code == 200


def test_the_statement_over_the_api_has_every_debit_and_credit(alpha: TenantRef) -> None:
    player, _ = waiting(alpha)
    browser = browser_of(alpha, "finance")
    answer = browser.api("GET", f"/api/v1/players/{player.public_id}/statement?limit=1")
    assert [(line["pocket"], line["amount"]) for line in answer.json["items"]] == [
        ("pending", "60.00"), ("cash", "-60.00"),
    ]  # fmt: skip
    rest = browser.api("GET", f"/api/v1/players/{player.public_id}/statement?before={answer.json['next']}")
    assert [line["amount"] for line in rest.json["items"]] == ["100.00"]
    assert browser_of(alpha, "security").api("GET", f"/api/v1/players/{player.public_id}/statement").status_code == 403


# --- deliveries and audit --------------------------------------------------------------------------------------------


@pytest.fixture
def blocked(alpha: TenantRef) -> int:
    """A delivery that kept failing, and one that waits behind it."""
    key = f"withdrawal:{uuid.uuid4()}"
    with db.unit_of_work(alpha) as work:
        rows = [
            DeliveryRow(
                stream="outbox", fact_id=-uuid.uuid4().int % 2**60, consumer="cashier.payouts", key=key,
                name="money.withdrawal_approved", version=1, body={}, state=state, attempts=9, failures=9,
                last_error="VendorRefused at pay/sandpay.py:1" if state == "blocked" else None,
            )
            for state in ("blocked", "pending")
        ]  # fmt: skip
        work.session.add(rows[0])
        work.session.flush()
        work.session.add(rows[1])
        work.session.flush()
        return rows[0].id


def test_a_blocked_fact_is_seen_and_tried_again_with_a_reason(alpha: TenantRef, blocked: int) -> None:
    browser = browser_of(alpha, "operations")
    page = browser.get("/deliveries")
    assert "VendorRefused at pay/sandpay.py:1 1 wait behind it." in words(page)
    assert browser.post(f"/deliveries/{blocked}/retry", reason=" ").status_code == 422
    assert browser.post(f"/deliveries/{blocked}/retry", reason="provider is back").status_code == 303
    entry = last_audit(alpha, f"delivery:{blocked}")
    assert (entry.action, entry.reason) == ("delivery.retried", "provider is back")
    again = browser.post(f"/deliveries/{blocked}/retry", reason="once more")
    assert again.status_code == 409 and "not blocked any more" in words(again)
    assert browser.post("/deliveries/999999999/retry", reason="x").status_code == 404


def test_blocked_facts_over_the_api(alpha: TenantRef, blocked: int) -> None:
    reader, doer = browser_of(alpha, "auditor"), browser_of(alpha, "operations")
    path = f"/api/v1/deliveries/{blocked}/retry"
    listed = reader.api("GET", "/api/v1/deliveries?state=blocked&limit=200").json["items"]
    assert [one["behind"] for one in listed if one["id"] == blocked] == [1]
    assert reader.api("POST", path, {"reason": "x"}).status_code == 403
    assert doer.api("POST", path, {}).status_code == 422
    assert doer.api("POST", path, {"reason": "provider is back"}).json["state"] == "pending"
    assert doer.api("POST", path, {"reason": "x"}).json["code"] == "delivery_not_blocked"


def test_the_audit_log_is_read_filtered_and_proven(alpha: TenantRef) -> None:
    _, withdrawal_id = waiting(alpha)
    payments = browser_of(alpha, "payments")
    payments.get(f"/withdrawals/{withdrawal_id}")
    payments.post(f"/withdrawals/{withdrawal_id}/approve", note="seen")
    auditor = browser_of(alpha, "auditor")
    page = words(auditor.get(f"/audit?action=withdrawal&subject=withdrawal:{withdrawal_id}"))
    assert "withdrawal.approved" in page and "status: waiting → approved" in page and "seen" in page
    assert "No such entries" in words(auditor.get("/audit?subject=nothing:1"))
    assert "The chain is whole" in words(auditor.post("/audit/verify"))
    [entry] = auditor.api("GET", f"/api/v1/audit?subject=withdrawal:{withdrawal_id}").json["items"]
    assert (entry["action"], entry["actor"]["name"], entry["after"]["amount"]) == (
        "withdrawal.approved", "Nora Lind", "60.00",
    )  # fmt: skip
    assert auditor.api("POST", "/api/v1/audit/verify").json == {"whole": True, "faults": []}
    assert payments.api("GET", "/api/v1/audit").status_code == 403


def test_the_overview_tells_figures_to_those_who_may_see_them(alpha: TenantRef) -> None:
    waiting(alpha)
    told = words(browser_of(alpha, "payments").get("/"))
    assert "Withdrawals waiting" in told and "Relay behind" in told
    answer = browser_of(alpha, "product").api("GET", "/api/v1/overview")
    assert answer.status_code == 200 and answer.json["timezone"] == alpha.timezone
    assert browser_of(alpha, "support").api("GET", "/api/v1/overview").status_code == 403


# --- what every page is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/sign-in", "/withdrawals", "/players", "/deliveries", "/audit", "/nothing"])
def test_pages_carry_nothing_inline_and_nothing_from_elsewhere(alpha: TenantRef, path: str) -> None:
    browser = Browser(office_host(alpha)) if path == "/sign-in" else browser_of(alpha, "auditor")
    response = browser.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", response.text)
    assert set(re.findall(r'(?:src|href|action)="(https?:[^"]*)"', response.text)) == set()
    assert response.headers["Cache-Control"] == "no-store"


def test_assets_are_kept_by_browsers_and_only_ours_exist(alpha: TenantRef) -> None:
    browser = Browser(office_host(alpha))
    found = re.search(r'href="(/-/console/[0-9a-f]{16}/console\.css)"', browser.get("/sign-in").text)
    assert found is not None
    css = browser.get(found.group(1))
    assert css.status_code == 200 and "immutable" in css.headers["Cache-Control"]
    assert browser.get("/-/console/0000000000000000/console.css").headers["Cache-Control"] == "no-cache"
    for name in ("..%2f__init__.py", "__init__.py", "nothing.css"):
        assert browser.get(f"/-/console/{'0' * 16}/{name}").status_code == 404
