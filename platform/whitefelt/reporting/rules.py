"""What a posting means: decided from its movement and the two pockets it touched. Pure."""

from __future__ import annotations

from collections.abc import Mapping

#: Every meaning that a posting can have, as people read it.
KINDS: Mapping[str, str] = {
    "deposit": "Deposits credited",
    "withdrawal_requested": "Withdrawals asked for",
    "withdrawal_paid": "Withdrawals paid",
    "withdrawal_returned": "Withdrawals returned",
    "stake": "Stakes placed",
    "stake_settled": "Stakes of ended rounds",
    "stake_returned": "Stakes returned from open rounds",
    "stake_returned_settled": "Stakes returned after the round ended",
    "win": "Wins",
    "win_taken_back": "Wins taken back",
    "adjustment_in": "Corrections to players",
    "adjustment_out": "Corrections from players",
    "bonus_grant": "Bonuses granted",
    "bonus_forfeit": "Bonuses taken back",
    "bonus_convert": "Bonuses turned into cash",
    "other": "Other movements",
}

_PLAYER = ("cash", "bonus", "pending")
_SINGLE = {
    "deposit": "deposit", "reserve": "withdrawal_requested", "pay_out": "withdrawal_paid",
    "release": "withdrawal_returned", "bonus_grant": "bonus_grant", "bonus_forfeit": "bonus_forfeit",
    "bonus_convert": "bonus_convert",
}  # fmt: skip


def meaning(movement: str, debit: str, credit: str) -> str:
    """The key of `KINDS` for a posting of `movement` from a pocket of kind `debit` to one of kind `credit`."""
    debit, credit = debit.partition(":")[0], credit.partition(":")[0]
    if movement in _SINGLE:
        return _SINGLE[movement]
    if movement == "adjust":
        return "adjustment_in" if debit == "adjustment" else "adjustment_out"
    if (debit, credit) == ("escrow", "gaming"):
        return "stake_settled"
    if movement == "stake" and credit == "escrow":
        return "stake"
    if movement == "settle" and debit == "gaming":
        return "win"
    if movement == "restore" and credit in _PLAYER:
        return "stake_returned" if debit == "escrow" else "stake_returned_settled"
    if movement == "restore" and debit in _PLAYER:
        return "win_taken_back"
    return "other"


def ggr_units(units: Mapping[str, int]) -> int:
    """Gross gaming revenue on settled play: stakes of ended rounds minus wins, both less what was taken back."""
    return (
        units.get("stake_settled", 0)
        - units.get("stake_returned_settled", 0)
        - units.get("win", 0)
        + units.get("win_taken_back", 0)
    )
