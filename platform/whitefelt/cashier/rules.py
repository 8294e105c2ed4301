"""Decisions of the cashier, pure: what a provider's word does to a deposit or withdrawal, and why a withdrawal waits.

The two state tables are data. What is not in a table is an error of the caller, so they are complete: every status of
ours meets every status of a provider (a test walks the product).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from whitefelt.cashier.errors import AMOUNT_ABOVE_MAXIMUM, AMOUNT_BELOW_MINIMUM, IDEMPOTENCY_KEY_INVALID
from whitefelt.cashier.ports import PAYMENT_STATUSES, PAYOUT_STATUSES, Limits
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, decimal

DEPOSIT_STATUSES = ("created", "redirected", "settled", "declined", "cancelled", "expired", "failed", "mismatch")
DEPOSIT_OPEN = ("created", "redirected")
#: Ended without money; the allowance was given back. A payment that succeeds after all is credited.
DEPOSIT_GIVEN_UP = ("declined", "cancelled", "expired", "failed")

WITHDRAWAL_STATUSES = ("waiting", "approved", "sent", "paid", "rejected", "failed")
WITHDRAWAL_OPEN = ("waiting", "approved", "sent")


@dataclass(frozen=True, slots=True)
class Step:
    """What to do: the new `status` (None: stays), an `action` on money or allowance, how the message is filed
    (`result`), and whether a person must look (`flagged`)."""

    status: str | None
    action: str
    result: str
    flagged: bool = False


def _deposit_steps() -> dict[tuple[str, str], Step]:
    steps: dict[tuple[str, str], Step] = {}
    steps["created", "created"] = Step("redirected", "none", "redirected")
    steps["redirected", "created"] = Step(None, "none", "no_change")
    for ours in DEPOSIT_OPEN:
        steps[ours, "paid"] = Step("settled", "credit", "credited")
        for told in ("declined", "cancelled", "expired"):
            steps[ours, told] = Step(told, "give_back", told)
    for ours in DEPOSIT_GIVEN_UP:
        steps[ours, "paid"] = Step("settled", "credit_late", "credited_late")
        for told in ("created", "declined", "cancelled", "expired"):
            steps[ours, told] = Step(None, "none", "no_change")
    steps["settled", "paid"] = Step(None, "none", "already_credited")
    steps["settled", "created"] = Step(None, "none", "no_change")
    for told in ("declined", "cancelled", "expired"):
        steps["settled", told] = Step(None, "none", "out_of_order")
    for told in PAYMENT_STATUSES:
        steps["mismatch", told] = Step(None, "none", "waits_for_staff", flagged=True)
    return steps


def _withdrawal_steps() -> dict[tuple[str, str], Step]:
    steps: dict[tuple[str, str], Step] = {}
    for ours in ("approved", "sent"):
        steps[ours, "pending"] = Step("sent", "none", "sent")
        steps[ours, "paid"] = Step("paid", "pay_out", "paid_out")
        steps[ours, "failed"] = Step("failed", "release", "released")
    steps["paid", "pending"] = steps["failed", "pending"] = Step(None, "none", "no_change")
    steps["paid", "paid"] = steps["failed", "failed"] = Step(None, "none", "already_closed")
    # The provider changed its mind after the money was moved: a person decides, nothing moves by itself.
    steps["paid", "failed"] = Step(None, "none", "failed_after_paid", flagged=True)
    steps["failed", "paid"] = Step(None, "none", "paid_after_failed", flagged=True)
    for ours in ("waiting", "rejected"):
        for told in PAYOUT_STATUSES:
            steps[ours, told] = Step(None, "none", "payout_not_asked_for", flagged=True)
    return steps


DEPOSIT_STEPS: Mapping[tuple[str, str], Step] = _deposit_steps()
WITHDRAWAL_STEPS: Mapping[tuple[str, str], Step] = _withdrawal_steps()

#: Why a withdrawal waits, as people read it.
REASONS: Mapping[str, str] = {
    "first_withdrawal": "This is the player's first withdrawal.",
    "amount_over_threshold": "The amount is above what is paid without a second look.",
    "no_play_since_deposit": "Nothing was staked since the last deposit.",
    "identity_unverified": "The player's identity has not been verified.",
    "manual_review": "Every withdrawal is looked at by a person.",
}


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """The operator's policy: above `threshold` (None: no threshold) a person looks, or always (`every`)."""

    threshold: Money | None
    every: bool


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known about a withdrawal when it is asked for."""

    money: Money
    paid_before: bool
    staked_since_deposit: bool
    verified: bool


def waiting_reasons(known: Circumstances, policy: ReviewPolicy) -> tuple[str, ...]:
    """Codes of `REASONS` why this withdrawal waits for a person, most telling first; empty: it need not wait."""
    over = policy.threshold is not None and known.money > policy.threshold
    applies = {
        "identity_unverified": not known.verified,
        "amount_over_threshold": over,
        "no_play_since_deposit": not known.staked_since_deposit,
        "first_withdrawal": not known.paid_before,
        "manual_review": policy.every,
    }
    return tuple(code for code, holds in applies.items() if holds)


def check_amount(money: Money, limits: Limits) -> None:
    """Refuse an amount outside the method's limits: `amount_below_minimum`, `amount_above_maximum`."""
    if money < limits.minimum:
        raise Problem(
            AMOUNT_BELOW_MINIMUM, f"The smallest amount is {limits.minimum}.", minimum=decimal(limits.minimum)
        )
    if money > limits.maximum:
        raise Problem(
            AMOUNT_ABOVE_MAXIMUM, f"The largest amount at once is {limits.maximum}.", maximum=decimal(limits.maximum)
        )


def check_payout(money: Money) -> None:
    """Refuse to pay out nothing (`amount_below_minimum`). There is no other minimum: what is a player's can be had."""
    if money.units <= 0:
        raise Problem(AMOUNT_BELOW_MINIMUM, "Say how much you want to withdraw.")


def disagreements(
    *, asked_money: Money, asked_vendor_id: str | None, told_money: Money, told_vendor_id: str
) -> tuple[str, ...]:
    """In what the provider's word differs from what we asked for; an id not known yet disagrees with nothing."""
    found = []
    if asked_vendor_id is not None and asked_vendor_id != told_vendor_id:
        found.append("vendor_id")
    if asked_money.currency != told_money.currency:
        found.append("currency")
    elif asked_money.units != told_money.units:
        found.append("amount")
    return tuple(found)


_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


def checked_key(key: str | None) -> str | None:
    """The Idempotency-Key of a request, None if there is none; `idempotency_key_invalid`."""
    if key is not None and not _KEY.fullmatch(key):
        raise Problem(IDEMPOTENCY_KEY_INVALID)
    return key


def request_hash(*parts: str) -> bytes:
    """SHA-256 over what a request means: two requests with one key must be equal in it."""
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def clean_note(text: str, longest: int = 500) -> str:
    """A person's words as they are kept: trimmed, without control characters, cut at `longest`."""
    kept = "".join(c if c.isprintable() else " " for c in text if not "\ud800" <= c <= "\udfff")
    return " ".join(kept.split())[:longest]


#: First question after this many seconds, then ever rarer, at most hourly.
FIRST_CHECK_SECONDS, LONGEST_CHECK_SECONDS = 10, 3600
#: A payment that the provider has not heard of this long after we asked was never carried out.
UNHEARD_SECONDS = 120
#: A payment that nobody finished in this time is given up; if it is paid after all, it is credited.
GIVE_UP_HOURS = 48


def next_check(now: datetime, checks: int) -> datetime:
    """When to ask the provider again after `checks` questions."""
    return now + timedelta(seconds=min(FIRST_CHECK_SECONDS * 2 ** min(checks, 10), LONGEST_CHECK_SECONDS))
