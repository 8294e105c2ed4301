"""The movements: one function each over one SQL function each. A refusal is a value (`Outcome.status`), never an exception.

`source` is who issued the reference: an integration's id, or 0 for the platform itself. `ref` is unique for ever within its
source. The same call again replays; the same reference with other data is `transaction_conflict`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money
from whitefelt.wallet import call
from whitefelt.wallet.outcomes import Cap, Outcome, caps_document, read_outcome
from whitefelt.wallet.pockets import House, Pockets

#: The orders in which a stake may draw on pockets; `proportional` by balance.
ORDERS = ("cash_first", "bonus_first", "proportional")


def _work(work: Work, function: str, *arguments: Any) -> Outcome:
    return read_outcome(call.in_work(work, function, arguments))


def deposit(
    work: Work, *, source: int, ref: str, pockets: Pockets, money: Money, house: int, caps: Sequence[Cap] = ()
) -> Outcome:
    """Money enters: from the house's pocket at a payment provider to cash."""
    _same_currency(pockets, money)
    digest = call.body_hash("deposit", pockets.cash, money.units, house)
    return _work(
        work, "wallet_deposit", source, ref, digest, house, pockets.cash, money.units, _report(pockets),
        caps_document(caps),
    )  # fmt: skip


def reserve(work: Work, *, source: int, ref: str, pockets: Pockets, money: Money, caps: Sequence[Cap] = ()) -> Outcome:
    """A withdrawal is asked for: cash becomes pending. `insufficient_funds` when there is not that much cash."""
    _same_currency(pockets, money)
    digest = call.body_hash("reserve", pockets.cash, money.units)
    return _work(
        work, "wallet_reserve", source, ref, digest, pockets.cash, pockets.pending, money.units, _report(pockets),
        caps_document(caps),
    )  # fmt: skip


def pay_out(work: Work, *, source: int, ref: str, reserve_ref: str, house: int, pockets: Pockets) -> Outcome:
    """A reserve leaves the house: pending to the payment provider's pocket; once (`already_closed` otherwise)."""
    digest = call.body_hash("pay_out", reserve_ref, house)
    return _work(work, "wallet_pay_out", source, ref, digest, house, reserve_ref, _report(pockets))


def release(work: Work, *, source: int, ref: str, reserve_ref: str, pockets: Pockets) -> Outcome:
    """A reserve returns to cash; once (`already_closed` otherwise)."""
    digest = call.body_hash("release", reserve_ref)
    return _work(work, "wallet_release", source, ref, digest, reserve_ref, _report(pockets))


def adjust(
    work: Work, *, source: int, ref: str, pockets: Pockets, pocket: int, money: Money, house: int, to_player: bool
) -> Outcome:
    """A correction by authorised staff, to or from the player's cash or bonus pocket."""
    _same_currency(pockets, money)
    digest = call.body_hash("adjust", pocket, money.units, house, to_player)
    return _work(work, "wallet_adjust", source, ref, digest, house, pocket, to_player, money.units, _report(pockets))


def bonus(
    work: Work, *, kind: str, source: int, ref: str, pockets: Pockets, from_pocket: int, to_pocket: int, money: Money
) -> Outcome:
    """Bonus money granted (`bonus_grant`), taken back (`bonus_forfeit`) or turned into cash (`bonus_convert`)."""
    _same_currency(pockets, money)
    digest = call.body_hash(kind, from_pocket, to_pocket, money.units)
    return _work(
        work, "wallet_bonus", source, ref, digest, kind, pockets.cash, from_pocket, to_pocket, money.units,
        _report(pockets),
    )  # fmt: skip


def claim(work: Work, *, source: int, ref: str, pockets: Pockets, caps: Sequence[Cap]) -> Outcome:
    """Advance counters and move nothing: `cap_reached` with `detail` when a ceiling would be passed."""
    documents = caps_document(caps)
    return _work(work, "wallet_claim", source, ref, call.body_hash("claim", documents), pockets.cash, documents)


def stake(
    tenant: TenantRef, *, source: int, ref: str, digest: bytes, pockets: Pockets, money: Money, house: House,
    round_ref: str, label: Mapping[str, Any], order: str = "cash_first", close: bool = False,
    terms: int | None = None, caps: Sequence[Cap] = (),
) -> Outcome:  # fmt: skip
    """A bet, one autocommit trip: from the player's pockets into the round's escrow.

    `digest` is the hash of the vendor's message. Refusals: insufficient_funds, stakes_not_allowed, cap_reached,
    hold_closed, transaction_conflict, transaction_rolled_back; `terms_changed` asks the caller to read the caps anew.
    """
    assert order in ORDERS, order
    _same_currency(pockets, money)
    drawn = [pockets.bonus, pockets.cash] if order == "bonus_first" else [pockets.cash, pockets.bonus]
    mode = "proportional" if order == "proportional" else "ordered"
    return read_outcome(call.one_trip(tenant, "wallet_stake", (
        source, ref, digest, pockets.cash, drawn, mode, money.units, house.escrow, house.gaming, round_ref, dict(label),
        close, terms, caps_document(caps),
    )))  # fmt: skip


def settle(
    tenant: TenantRef, *, source: int, ref: str, digest: bytes, pockets: Pockets, parts: Sequence[tuple[int, Money]],
    house: House, round_ref: str, label: Mapping[str, Any], close: bool, need_round: bool, caps: Sequence[Cap] = (),
) -> Outcome:  # fmt: skip
    """A win, also of 0, one autocommit trip: `parts` say which pocket receives how much. Always paid.

    `hold_unknown` (not remembered) when `need_round` and no stake opened the round.
    """
    for _, money in parts:
        _same_currency(pockets, money)
    assert all(cap.ceiling_units is None and cap.gap_ms is None for cap in caps), "a win is never capped"
    return read_outcome(call.one_trip(tenant, "wallet_settle", (
        source, ref, digest, pockets.cash, [pocket for pocket, _ in parts], [money.units for _, money in parts],
        house.escrow, house.gaming, round_ref, dict(label), close, need_round, [pockets.cash, pockets.bonus],
        caps_document(caps),
    )))  # fmt: skip


def restore(
    tenant: TenantRef, *, source: int, ref: str, digest: bytes, pockets: Pockets, target_ref: str, target_kind: str,
    house: House, close: bool = False, round_ref: str | None = None, below_floor: bool = False,
) -> Outcome:  # fmt: skip
    """Take a stake (or a win: `settle`) back, whole and once, one autocommit trip; an unknown target leaves a tombstone.

    `close` ends the target's round, or `round_ref` when the target has none.
    """
    assert target_kind in ("stake", "settle"), target_kind
    return read_outcome(call.one_trip(tenant, "wallet_restore", (
        source, ref, digest, pockets.cash, target_ref, target_kind, house.gaming, close, below_floor,
        round_ref, [pockets.cash, pockets.bonus],
    )))  # fmt: skip


def refuse(
    tenant: TenantRef, *, source: int, ref: str, digest: bytes, kind: str, pockets: Pockets, status: str
) -> Outcome:
    """Remember a refusal that was decided before the wallet was asked, one autocommit trip."""
    return read_outcome(call.one_trip(tenant, "wallet_refuse", (
        source, ref, digest, kind, pockets.cash, status, [pockets.cash, pockets.bonus],
    )))  # fmt: skip


def _report(pockets: Pockets) -> list[int]:
    return [pockets.cash, pockets.bonus, pockets.pending]


def _same_currency(pockets: Pockets, money: Money) -> None:
    assert money.currency == pockets.currency, "the amount is in another currency than the pockets"
    assert money.units >= 0, "amounts of movements are never negative"
