"""The inbox: what is not signed is not read, what is signed is kept once, what differs is never credited."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cashier.desk import Desk, in_parallel
from whitefelt import audit, cashier
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.money import parse

OK = (200, b'{"received": true}')


def code_of(answer: tuple[int, bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[1])["code"]


def test_a_signed_message_is_kept_and_applied(desk: Desk) -> None:
    deposit = desk.start(desk.player())
    assert desk.tell(desk.event(deposit, "payment.paid", authorisation=654321)) == OK
    kept = desk.notifications(deposit.public_id)
    assert [(one.type, one.result, one.applied_at) for one in kept] == [("payment.paid", "received", None)]
    assert desk.deposit(deposit.public_id).status == "redirected"  # answered first, applied afterwards
    desk.apply(deposit.public_id)
    settled = desk.deposit(deposit.public_id)
    assert (settled.status, settled.authorisation) == ("settled", "654321")
    applied = desk.notifications(deposit.public_id)[0]
    assert applied.result == "credited" and applied.applied_at is not None


def _forged(desk: Desk, raw: bytes) -> dict[str, dict[str, str]]:
    now = int(time.time())
    good = desk.signed(raw)["Sandpay-Signature"]
    return {
        "none": {},
        "empty": {"Sandpay-Signature": ""},
        "other secret": desk.signed(raw, secret="guess"),
        "other body": desk.signed(raw + b" "),
        "too old": desk.signed(raw, at=now - 301),
        "too new": desk.signed(raw, at=now + 302),
        "no time": {"Sandpay-Signature": good.partition(",")[2]},
        "two times": {"Sandpay-Signature": f"t={now},{good}"},
        "other time": {"Sandpay-Signature": f"t={now - 1}," + good.partition(",")[2]},
        "time with sign": {"Sandpay-Signature": good.replace("t=", "t=+")},
        "short": {"Sandpay-Signature": good[:-1]},
        "upper case": {"Sandpay-Signature": good.upper().replace("T=", "t=").replace("V1=", "v1=")},
        "other version": {"Sandpay-Signature": good.replace("v1=", "v0=")},
        "not ascii": {"Sandpay-Signature": f"t={now},v1=é"},
        "long": {"Sandpay-Signature": good + ",v1=" + "0" * 5000},
    }


def test_what_is_not_signed_is_refused_and_not_kept(desk: Desk) -> None:
    deposit = desk.start(desk.player())
    raw = desk.event(deposit, "payment.paid")
    for name, headers in _forged(desk, raw).items():
        answer = cashier.callbacks.receive(desk.integration, headers, raw)
        assert code_of(answer) == (401, "notification_signature_invalid"), name
    assert desk.notifications(deposit.public_id) == []
    assert cashier.callbacks.receive(desk.integration, desk.signed(raw), raw) == OK


@pytest.mark.parametrize("age", [-299, 0, 299])
def test_a_message_within_the_tolerance_is_taken(desk: Desk, age: int) -> None:
    deposit = desk.start(desk.player())
    assert desk.tell(desk.event(deposit, "payment.paid"), at=int(time.time()) - age) == OK


def test_one_of_several_signatures_is_enough(desk: Desk) -> None:
    deposit = desk.start(desk.player())
    raw = desk.event(deposit, "payment.paid")
    stamp, _, good = desk.signed(raw)["Sandpay-Signature"].partition(",")
    headers = {"sandpay-signature": f"{stamp},v1={'0' * 64},{good}"}
    assert cashier.callbacks.receive(desk.integration, headers, raw) == OK


def test_a_message_twice_is_kept_once_and_with_another_body_is_a_conflict(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.start(player, "20.00")
    declined = json.loads(desk.event(deposit, "payment.declined", reason="issuer_declined"))
    paid = {**json.loads(desk.event(deposit, "payment.paid")), "id": declined["id"]}
    first, second = json.dumps(declined).encode(), json.dumps(paid).encode()
    assert [desk.tell(first), desk.tell(first), desk.tell(second), desk.tell(second)] == [OK] * 4
    desk.apply(deposit.public_id)
    kept = desk.notifications(deposit.public_id)
    assert [(one.result, one.flagged) for one in kept] == [("declined", False), ("conflict", True)]
    assert desk.deposit(deposit.public_id).status == "declined"
    assert desk.cash(player) == parse("0", "EUR")
    with unit_of_work(desk.tenant) as work:
        entries = audit.entries(work, subject=f"notification:{kept[1].id}")
        flagged = cashier.flagged(work, limit=200)
    assert [entry.action for entry in entries] == ["payment.notification_conflict"]
    assert kept[1].id in [one.id for one in flagged]


def test_two_bodies_with_one_id_at_once_leave_one_of_them_applied(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.start(player, "20.00")
    base = json.loads(desk.event(deposit, "payment.paid"))
    bodies = [json.dumps({**base, "created": number}).encode() for number in range(8)]
    assert in_parallel([lambda raw=raw: desk.tell(raw) for raw in bodies]) == [OK] * 8
    desk.apply(deposit.public_id)
    assert sorted(one.result for one in desk.notifications(deposit.public_id)) == ["conflict"] * 7 + ["credited"]
    assert desk.cash(player) == parse("20.00", "EUR")


RUBBISH = {
    "empty": b"",
    "not json": b"<xml/>",
    "a list": b"[]",
    "nan": b'{"id": NaN}',
    "not utf-8": b'{"id": "\xff"}',
    "nul": b'{"id": "a\\u0000b", "type": "payment.paid"}',
    "half a character": b'{"id": "\\ud800", "type": "payment.paid"}',
    "deep": b"[" * 100_000,
    "long number": b'{"id": ' + b"9" * 10_000 + b"}",
    "too long": b'{"id": "' + b"x" * 70_000 + b'"}',
    "no id": b'{"type": "payment.paid"}',
}


@pytest.mark.parametrize("name", RUBBISH)
def test_signed_rubbish_is_answered_with_400(desk: Desk, name: str) -> None:
    assert code_of(desk.tell(RUBBISH[name])) == (400, "notification_invalid")


WRONG: dict[str, dict[str, Any]] = {
    "amount as text": {"amount": "10000"},
    "amount as fraction": {"amount": 10000.0},
    "amount as truth": {"amount": True},
    "amount zero": {"amount": 0},
    "amount negative": {"amount": -10000},
    "amount enormous": {"amount": 10**18},
    "currency unknown": {"currency": "XXX"},
    "currency a list": {"currency": []},
    "status of another type": {"status": "declined"},
    "status unknown": {"status": "settled"},
    "id missing": {"id": None},
    "reference a number": {"reference": 7},
    "reference long": {"reference": "x" * 129},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_signed_message_with_a_wrong_field_is_answered_with_400(desk: Desk, name: str) -> None:
    deposit = desk.start(desk.player())
    assert code_of(desk.tell(desk.event(deposit, "payment.paid", **WRONG[name]))) == (400, "notification_invalid")
    assert desk.notifications(deposit.public_id) == []
    assert desk.tell(desk.event(deposit, "payment.paid")) == OK


def test_an_unknown_type_is_answered_with_400(desk: Desk) -> None:
    deposit = desk.start(desk.player())
    assert code_of(desk.tell(desk.event(deposit, "payment.created")))[0] == 400
    assert code_of(desk.tell(desk.event(deposit, "customer.paid")))[0] == 400


@pytest.mark.parametrize("reference", ["00000000-0000-7000-8000-000000000000", "order 66", "'; DROP TABLE deposits"])
def test_an_unknown_payment_is_kept_and_flagged(desk: Desk, reference: str) -> None:
    deposit = desk.start(desk.player())
    before = len(desk.notifications(reference))
    assert desk.tell(desk.event(deposit, "payment.paid", reference=reference)) == OK
    desk.apply(reference)
    kept = desk.notifications(reference)[before:]
    assert [(one.result, one.flagged) for one in kept] == [("unknown_payment", True)]


def test_a_payment_is_not_found_by_another_spelling_of_its_reference(desk: Desk) -> None:
    deposit = desk.start(desk.player())
    other = deposit.public_id.upper()
    assert desk.tell(desk.event(deposit, "payment.paid", reference=other)) == OK
    desk.apply(other)
    assert [one.result for one in desk.notifications(other)] == ["unknown_payment"]


@pytest.mark.parametrize(
    ("wrong", "differs"),
    [({"amount": 9999}, "amount"), ({"amount": 10001}, "amount"), ({"currency": "SEK"}, "currency"), ({"id": "pay_x"}, "vendor_id")],
)  # fmt: skip
def test_money_that_differs_from_what_was_asked_for_is_never_credited(
    desk: Desk, wrong: dict[str, Any], differs: str
) -> None:
    player = desk.player()
    deposit = desk.start(player, "100.00")
    assert desk.tell(desk.event(deposit, "payment.paid", **wrong)) == OK
    desk.apply(deposit.public_id)
    found = desk.deposit(deposit.public_id)
    assert (found.status, found.reason) == ("mismatch", differs)
    assert desk.cash(player) == parse("0", "EUR")
    assert [(one.result, one.flagged) for one in desk.notifications(deposit.public_id)] == [("mismatch", True)]
    with unit_of_work(desk.tenant) as work:
        assert [e.action for e in audit.entries(work, subject=f"deposit:{deposit.public_id}")] == ["deposit.mismatch"]
    desk.tell(desk.event(deposit, "payment.paid"))  # now a person decides, whatever else is said
    desk.apply(deposit.public_id)
    assert desk.deposit(deposit.public_id).status == "mismatch"
    assert desk.lines(player) == []
    assert desk.faults() == []


def test_a_second_payment_for_a_settled_deposit_is_flagged_and_not_credited(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.paid(player, "100.00")
    desk.tell(desk.event(deposit, "payment.paid", id="pay_second"))
    desk.apply(deposit.public_id)
    assert desk.deposit(deposit.public_id).status == "settled"
    assert desk.notifications(deposit.public_id)[-1].flagged
    assert desk.cash(player) == parse("100.00", "EUR")


@pytest.mark.parametrize("kind", ["payment.declined", "payment.cancelled", "payment.expired"])
def test_an_end_that_speaks_of_another_payment_does_not_end_ours(desk: Desk, kind: str) -> None:
    player = desk.player()
    deposit = desk.start(player, "100.00")
    desk.tell(desk.event(deposit, kind, id="pay_other"))
    desk.apply(deposit.public_id)
    assert desk.deposit(deposit.public_id).status == "redirected"
    desk.pay(deposit)
    desk.heard(deposit.public_id, 2)
    assert desk.cash(player) == parse("100.00", "EUR")


def test_the_address_answers_for_whom_it_is(desk: Desk) -> None:
    deposit = desk.start(desk.player())
    raw = desk.event(deposit, "payment.paid")
    status, body, kind = cashier.receive("no-such-integration", desk.signed(raw), raw)
    assert (status, kind) == (404, "application/problem+json") and json.loads(body)["code"] == "integration_unknown"
    assert cashier.receive(desk.integration.public_id, desk.signed(raw), raw) == (*OK, "application/json")


def test_a_play_integration_takes_no_payments(desk: Desk) -> None:
    from whitefelt import tenancy

    play = tenancy.integrations_of(desk.tenant, "play")[0]
    assert cashier.receive(play.public_id, {}, b"{}")[0] == 404
