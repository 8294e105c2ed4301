"""Sandpay over a real wire: idempotent creates, the hosted page, signed webhooks that do not get lost, payouts."""

import http.client
import itertools
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.receivers import Shop
from sandbox.vendors import Vendor, call, wait_for

MERCHANTS = [
    {"name": "Aurora", "title": "Aurora Gaming Ltd", "api_key": "key-aurora", "webhook_secret": Shop.SECRET},
    {"name": "Nordlys", "api_key": "key-nordlys", "webhook_secret": ["an older one", Shop.SECRET]},
]
_keys = itertools.count(1)


@pytest.fixture(scope="module")
def shared_psp(start_vendor: Callable[..., Vendor]) -> Vendor:
    return start_vendor("psp", {"merchants": MERCHANTS, "payout_delay_ms": 50})


@pytest.fixture
def psp(shared_psp: Vendor) -> Vendor:
    """The shared provider in its ordinary mode."""
    call(shared_psp.port, "DELETE", "/control/mode")
    return shared_psp


def create(psp: Vendor, path: str, body: dict[str, Any], key: str = "", merchant: str = "aurora") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer key-{merchant}", "Idempotency-Key": key or f"k-{next(_keys)}"}
    return psp.post(path, body, headers)


def payment_body(shop: Shop, **changes: Any) -> dict[str, Any]:
    return {
        "reference": f"dep-{next(_keys)}",
        "amount": 10000,
        "currency": "EUR",
        "return_url": "http://brand.localhost:1/cashier/back?lang=en",
        "webhook_url": shop.url,
        "description": "Deposit",
        "customer": {"id": "p1", "email": "anna@example.com"},
        **changes,
    }


def pay(psp: Vendor, shop: Shop, action: str = "pay", merchant: str = "aurora", **changes: Any) -> dict[str, Any]:
    status, payment = create(psp, "/v1/payments", payment_body(shop, **changes), merchant=merchant)
    assert status == 201, payment
    status, settled = psp.post(f"/control/payments/{payment['id']}/{action}")
    assert status == 200, settled
    return settled


def submit(psp: Vendor, payment_id: str, **form: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", psp.port, timeout=10)
    connection.request(
        "POST", f"/pay/{payment_id}", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("Location")


def test_a_payment_is_made_on_the_hosted_page_and_told_by_webhook(psp: Vendor, shop: Shop) -> None:
    body = payment_body(shop)
    status, payment = create(psp, "/v1/payments", body)
    assert status == 201 and payment["status"] == "created" and "authorisation" not in payment
    page = psp.get(f"/pay/{payment['id']}")
    assert page[0] == 200 and "no real money" in page[1] and "100.00" in page[1] and "Aurora Gaming Ltd" in page[1]
    back = f"http://brand.localhost:1/cashier/back?lang=en&payment={payment['id']}"
    assert submit(psp, payment["id"], action="pay") == (303, back)
    (event,) = wait_for(lambda: list(shop.seen), what="the webhook")
    assert event.verified and event.data["type"] == "payment.paid" and event.data["id"].startswith("evt_")
    shown = psp.get(f"/v1/payments/{payment['id']}", Authorization="Bearer key-aurora")[1]
    assert event.data["data"] == shown and shown["status"] == "paid" and isinstance(shown["authorisation"], int)
    found = psp.get(f"/v1/payments?reference={body['reference']}", Authorization="Bearer key-aurora")[1]
    assert found["items"] == [shown]
    # The page of a payment that is over changes nothing any more.
    assert submit(psp, payment["id"], action="cancel") == (303, back)
    assert psp.get(f"/v1/payments/{payment['id']}", Authorization="Bearer key-aurora")[1]["status"] == "paid"


def test_declined_cancelled_and_expired(psp: Vendor, shop: Shop) -> None:
    payment = create(psp, "/v1/payments", payment_body(shop))[1]
    assert submit(psp, payment["id"], action="decline", reason="limit_exceeded")[0] == 303
    assert submit(psp, payment["id"], action="pay")[0] == 303
    shown = psp.get(f"/v1/payments/{payment['id']}", Authorization="Bearer key-aurora")[1]
    assert (shown["status"], shown["reason"]) == ("declined", "limit_exceeded")
    assert pay(psp, shop, "cancel")["status"] == "cancelled"
    assert pay(psp, shop, "expire")["status"] == "expired"
    wait_for(lambda: len(shop.seen) == 3, what="three webhooks")
    assert {seen.data["type"] for seen in shop.seen} == {"payment.declined", "payment.cancelled", "payment.expired"}
    final = psp.post(f"/control/payments/{payment['id']}/pay")
    assert final[0] == 409 and final[1]["error"]["code"] == "payment_final"


def test_an_idempotency_key_makes_one_payment(psp: Vendor, shop: Shop) -> None:
    body = payment_body(shop)
    first, second = create(psp, "/v1/payments", body, "same"), create(psp, "/v1/payments", body, "same")
    assert first == second and first[0] == 201
    other = create(psp, "/v1/payments", {**body, "amount": 1}, "same")
    assert other[0] == 409 and other[1]["error"]["code"] == "idempotency_conflict"
    theirs = create(psp, "/v1/payments", body, "same", merchant="nordlys")
    assert theirs[0] == 201 and theirs[1]["id"] != first[1]["id"]
    payout = {"reference": "r", "amount": 1, "currency": "EUR", "webhook_url": shop.url, "destination": {"token": "t"}}
    assert create(psp, "/v1/payouts", payout, "same")[0] == 409


def test_merchants_see_their_own_only(psp: Vendor, shop: Shop) -> None:
    payment = create(psp, "/v1/payments", payment_body(shop))[1]
    path = f"/v1/payments/{payment['id']}"
    assert psp.get(path, Authorization="Bearer key-aurora")[0] == 200
    assert psp.get(path, Authorization="Bearer key-nordlys")[0] == 404
    assert psp.get(path, Authorization="Bearer nobody")[0] == 401
    assert psp.get(path)[0] == 401


def test_each_currency_has_its_own_decimals(psp: Vendor, shop: Shop) -> None:
    for currency, amount, shown in (("JPY", 100, "100"), ("KWD", 1000, "1.000"), ("BTC", 150000, "0.00150000")):
        payment = create(psp, "/v1/payments", payment_body(shop, currency=currency, amount=amount))[1]
        assert f"{shown} {currency}" in psp.get(f"/pay/{payment['id']}")[1]


def test_webhooks_are_repeated_with_the_same_bytes_until_acknowledged(psp: Vendor, shop: Shop) -> None:
    shop.status = lambda number: 500 if number == 0 else 204
    pay(psp, shop)
    wait_for(lambda: len(shop.seen) == 2, what="the second delivery")
    assert all(seen.verified for seen in shop.seen) and shop.seen[0].body == shop.seen[1].body
    time.sleep(0.3)
    assert len(shop.seen) == 2


def test_a_rotation_signs_with_both_secrets(psp: Vendor, shop: Shop) -> None:
    pay(psp, shop, merchant="nordlys")
    (event,) = wait_for(lambda: list(shop.seen), what="the webhook")
    assert event.verified and event.headers["sandpay-signature"].count("v1=") == 2


def test_duplicates_hold_release_and_resend(psp: Vendor, shop: Shop) -> None:
    psp.post("/control/mode", {"hold": True, "duplicate": 2})
    reference = pay(psp, shop)["reference"]
    pay(psp, shop)
    time.sleep(0.4)
    assert not shop.seen
    assert psp.post("/control/release")[1]["released"] >= 2
    wait_for(lambda: len(shop.seen) == 6, what="two events three times")
    assert len({seen.body for seen in shop.seen}) == 2
    event = psp.get(f"/control/events?reference={reference}")[1]["items"][0]
    assert event["tries"] == 3 and event["body"]["id"] == event["id"]
    wait_for(lambda: psp.get(f"/control/events?reference={reference}")[1]["items"][0]["state"] == "acknowledged")
    answers = psp.post(f"/control/events/{event['id']}/resend", {"times": 2})[1]["answers"]
    assert [answer["status"] for answer in answers] == [200, 200] and len(shop.seen) == 8


def test_dropped_and_delayed_webhooks_come_later(psp: Vendor, shop: Shop) -> None:
    psp.post("/control/mode", {"drop_first_n": 1, "webhook_delay_ms": 200})
    started = time.monotonic()
    pay(psp, shop)
    wait_for(lambda: shop.seen, what="the webhook")
    assert time.monotonic() - started >= 0.65 and len(shop.seen) == 1


def test_nothing_acknowledged_is_lost_by_kill_minus_nine(start_vendor: Callable[..., Vendor], shop: Shop) -> None:
    psp = start_vendor("psp", {"merchants": MERCHANTS, "payout_delay_ms": 50})
    psp.post("/control/mode", {"hold": True})
    body = payment_body(shop)
    first = create(psp, "/v1/payments", body, "k-crash")
    psp.post(f"/control/payments/{first[1]['id']}/pay")
    psp.kill()
    psp.start()
    assert create(psp, "/v1/payments", body, "k-crash") == first
    time.sleep(0.3)
    assert not shop.seen, "the hold survives, too"
    psp.post("/control/release")
    (event,) = wait_for(lambda: list(shop.seen), what="the webhook")
    assert event.verified and event.data["data"]["reference"] == body["reference"]


def payout(psp: Vendor, shop: Shop, token: str = "card-1") -> dict[str, Any]:
    body = {
        "reference": f"wd-{next(_keys)}",
        "amount": 6000,
        "currency": "SEK",
        "webhook_url": shop.url,
        "destination": {"token": token},
    }
    status, made = create(psp, "/v1/payouts", body)
    assert status == 201 and made["status"] == "pending", made
    return made


def test_payouts_are_paid_or_fail_a_moment_later(psp: Vendor, shop: Shop) -> None:
    good, bad = payout(psp, shop), payout(psp, shop, "fail")
    wait_for(lambda: len(shop.seen) == 2, what="both webhooks")
    assert {seen.data["data"]["id"]: seen.data["type"] for seen in shop.seen} == {
        good["id"]: "payout.paid",
        bad["id"]: "payout.failed",
    }
    psp.post("/control/mode", {"payout": "failed"})
    third = payout(psp, shop)
    wait_for(lambda: len(shop.seen) == 3, what="the third webhook")
    shown = psp.get(f"/v1/payouts/{third['id']}", Authorization="Bearer key-aurora")[1]
    assert (shown["status"], shown["reason"]) == ("failed", "bank_refused")


def test_held_payouts_wait_for_a_decision(psp: Vendor, shop: Shop) -> None:
    psp.post("/control/mode", {"payout": "hold"})
    held = payout(psp, shop)
    time.sleep(0.3)
    assert not shop.seen
    assert psp.post(f"/control/payouts/{held['id']}/pay")[1]["status"] == "paid"
    wait_for(lambda: shop.seen, what="the webhook")
    assert psp.post(f"/control/payouts/{held['id']}/fail")[0] == 409


def test_starting_can_fail_or_be_slow(psp: Vendor, shop: Shop) -> None:
    psp.post("/control/mode", {"start": "error"})
    assert create(psp, "/v1/payments", payment_body(shop))[0] == 503
    psp.post("/control/mode", {"start": "slow", "slow_ms": 300})
    started = time.monotonic()
    assert create(psp, "/v1/payments", payment_body(shop))[0] == 201
    assert time.monotonic() - started >= 0.3


def test_the_books_add_up(start_vendor: Callable[..., Vendor], shop: Shop) -> None:
    psp = start_vendor("psp", {"merchants": MERCHANTS, "payout_delay_ms": 0})
    pay(psp, shop, currency="SEK")
    pay(psp, shop, currency="SEK", amount=500)
    pay(psp, shop, "decline", currency="SEK")
    payout(psp, shop)
    wait_for(lambda: len(shop.seen) == 4, what="all webhooks")
    (total,) = psp.get("/control/books")[1]["totals"]
    assert total["payments"] == {"count": 2, "amount": 10500} and total["payouts"] == {"count": 1, "amount": 6000}
    assert (total["merchant"], total["currency"], total["net"]) == ("Aurora", "SEK", 4500)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 201),
        ({"amount": 0}, 400),
        ({"amount": 1.5}, 400),
        ({"amount": True}, 400),
        ({"amount": "100"}, 400),
        ({"amount": 2**70}, 400),
        ({"currency": "XXX"}, 400),
        ({"currency": ["EUR"]}, 400),
        ({"return_url": "javascript:alert(1)"}, 400),
        ({"return_url": "http://a;b/"}, 400),
        ({"return_url": "http://[::1"}, 400),
        ({"webhook_url": None}, 400),
        ({"customer": "anna"}, 400),
        ({"reference": "x" * 129}, 400),
        ({"reference": "a\nb"}, 400),
    ],
)
def test_rubbish_is_answered_with_a_code(psp: Vendor, shop: Shop, changes: dict[str, Any], status: int) -> None:
    found, answer = create(psp, "/v1/payments", payment_body(shop, **changes))
    assert found == status, answer
    assert status == 201 or answer["error"]["code"]


def test_creating_needs_an_idempotency_key(psp: Vendor, shop: Shop) -> None:
    headers = {"Authorization": "Bearer key-aurora"}
    assert psp.post("/v1/payments", payment_body(shop), headers)[0] == 400
    assert psp.post("/v1/payments", payment_body(shop), {**headers, "Idempotency-Key": "once"})[0] == 201
    assert psp.post("/control/mode", {"start": "sideways"})[0] == 400
    assert psp.get("/control", Forwarded="for=203.0.113.9")[0] == 403
