"""The cashier's book against the journal: every planted disagreement is named, and none is seen where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cashier.desk import Desk
from whitefelt import wallet
from whitefelt.kernel import clock
from whitefelt.kernel.db import money_work
from whitefelt.kernel.money import parse


def found(desk: Desk, reference: str) -> set[str]:
    """Codes of the faults about that deposit, withdrawal or owner."""
    return {fault.code for fault in desk.faults() if reference in fault.subject or reference in fault.detail}


@contextmanager
def planted(desk: Desk, edit: Any, public_id: str, before: dict[str, Any], **after: Any) -> Iterator[None]:
    edit(public_id, **after)
    try:
        yield
    finally:
        edit(public_id, **before)


def test_nothing_is_wrong_in_any_state(desk: Desk) -> None:
    player = desk.player()
    desk.start(player)
    desk.paid(player)
    waiting, rejected, approved = (desk.request(player, amount).public_id for amount in ("10.00", "11.00", "12.00"))
    desk.reject(rejected)
    desk.approve(approved)
    assert desk.withdrawal(waiting).status == "waiting"
    assert desk.faults() == []


def test_faults_of_deposits_are_named(desk: Desk) -> None:
    player = desk.player()
    settled, open_ = desk.paid(player).public_id, desk.start(player).public_id
    now = clock.now()
    good = {"status": "settled", "settled_at": desk.deposit(settled).settled_at}
    with planted(desk, desk.edit_deposit, settled, good, status="failed", settled_at=None):
        assert found(desk, settled) == {"deposit_posted_without_settling"}
    back = {"status": "redirected", "settled_at": None}
    with planted(desk, desk.edit_deposit, open_, back, status="settled", settled_at=now):
        assert found(desk, open_) == {"deposit_posted_wrong_number"}
    units = parse("100.00", "EUR").units
    for wrong in (units - 1, units + 1):
        with planted(desk, desk.edit_deposit, settled, {"amount_units": units}, amount_units=wrong):
            assert found(desk, settled) == {"deposit_amount_differs"}
    integration = {"integration_id": desk.integration.id}
    with planted(desk, desk.edit_deposit, settled, integration, integration_id=desk.integration.id + 1000):
        assert found(desk, settled) == {"deposit_source_differs"}
    assert desk.faults() == []


def test_faults_of_withdrawals_are_named(desk: Desk) -> None:
    player = desk.player()
    desk.paid(player)
    public_id = desk.request(player, "40.00").public_id
    now, units = clock.now(), parse("40.00", "EUR").units
    back = {"status": "waiting", "decided_at": None, "closed_at": None}
    with planted(desk, desk.edit_withdrawal, public_id, back, status="paid", decided_at=now, closed_at=now):
        assert found(desk, public_id) == {"withdrawal_row_missing"}
        assert found(desk, player.owner) == {"pending_differs"}
    with planted(desk, desk.edit_withdrawal, public_id, {"amount_units": units}, amount_units=units + 1):
        assert found(desk, public_id) == {"withdrawal_amount_differs"}
        assert found(desk, player.owner) == {"pending_differs"}
    rejected = desk.reject(public_id)
    ended = {"status": "rejected", "decided_at": rejected.decided_at, "closed_at": rejected.closed_at}
    with planted(desk, desk.edit_withdrawal, public_id, ended, status="approved", closed_at=None):
        assert found(desk, public_id) == {"withdrawal_row_surplus"}
        assert found(desk, player.owner) == {"pending_differs"}
    assert desk.faults() == []


def test_money_that_the_cashier_does_not_know_is_named(desk: Desk) -> None:
    player = desk.player()
    desk.paid(player)
    with money_work(desk.tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, "EUR")
        assert pockets is not None
        posted = wallet.reserve(work, source=0, ref="withdrawal:nobody", pockets=pockets, money=parse("5.00", "EUR"))
        assert posted.posted
        work.session.flush()
        from whitefelt.cashier import verify

        codes = {fault.code for fault in verify(work) if "nobody" in fault.subject or player.owner in fault.subject}
        assert codes == {"withdrawal_without_row", "pending_differs"}
        work.session.rollback()
    assert desk.faults() == []
