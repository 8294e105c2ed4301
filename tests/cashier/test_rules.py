"""The pure decisions: the tables are complete, money is credited in few places, and words are kept clean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from whitefelt.cashier import rules
from whitefelt.cashier.ports import PAYMENT_STATUSES, PAYOUT_STATUSES, Limits
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, parse


def test_every_status_of_ours_meets_every_status_of_a_provider() -> None:
    assert set(rules.DEPOSIT_STEPS) == set(product(rules.DEPOSIT_STATUSES, PAYMENT_STATUSES))
    assert set(rules.WITHDRAWAL_STEPS) == set(product(rules.WITHDRAWAL_STATUSES, PAYOUT_STATUSES))


def test_money_comes_in_from_open_and_given_up_deposits_only_and_only_when_paid() -> None:
    credits = {key for key, step in rules.DEPOSIT_STEPS.items() if step.action.startswith("credit")}
    assert credits == {(ours, "paid") for ours in (*rules.DEPOSIT_OPEN, *rules.DEPOSIT_GIVEN_UP)}
    late = {key for key, step in rules.DEPOSIT_STEPS.items() if step.action == "credit_late"}
    assert late == {(ours, "paid") for ours in rules.DEPOSIT_GIVEN_UP}


def test_an_allowance_is_given_back_once() -> None:
    for (ours, _), step in rules.DEPOSIT_STEPS.items():
        if step.action == "give_back":
            assert ours in rules.DEPOSIT_OPEN and step.status in rules.DEPOSIT_GIVEN_UP


def test_settled_and_ended_are_final() -> None:
    assert {step.status for (ours, _), step in rules.DEPOSIT_STEPS.items() if ours in ("settled", "mismatch")} == {None}
    ends = ("paid", "failed", "rejected", "waiting")
    assert {step.status for (ours, _), step in rules.WITHDRAWAL_STEPS.items() if ours in ends} == {None}


def test_money_leaves_or_returns_only_from_what_was_approved() -> None:
    moves = {key: step.action for key, step in rules.WITHDRAWAL_STEPS.items() if step.action != "none"}
    assert moves == {
        ("approved", "paid"): "pay_out", ("sent", "paid"): "pay_out",
        ("approved", "failed"): "release", ("sent", "failed"): "release",
    }  # fmt: skip


def known(amount: str = "10", **other: bool) -> rules.Circumstances:
    told = {"paid_before": True, "staked_since_deposit": True, "verified": True, **other}
    return rules.Circumstances(money=parse(amount, "EUR"), **told)


@pytest.mark.parametrize(
    ("circumstances", "reasons"),
    [
        (known(), ()),
        (known("100"), ()),
        (known("100.01"), ("amount_over_threshold",)),
        (known(paid_before=False), ("first_withdrawal",)),
        (known(staked_since_deposit=False), ("no_play_since_deposit",)),
        (known(verified=False), ("identity_unverified",)),
        (known("101", verified=False, paid_before=False), ("identity_unverified", "amount_over_threshold", "first_withdrawal")),
    ],
)  # fmt: skip
def test_reasons(circumstances: rules.Circumstances, reasons: tuple[str, ...]) -> None:
    policy = rules.ReviewPolicy(parse("100", "EUR"), every=False)
    assert rules.waiting_reasons(circumstances, policy) == reasons
    everything = rules.ReviewPolicy(policy.threshold, every=True)
    assert rules.waiting_reasons(circumstances, everything) == (*reasons, "manual_review")
    assert set(reasons) <= set(rules.REASONS)


def test_limits_include_their_ends() -> None:
    limits = Limits(parse("10", "EUR"), parse("20", "EUR"))
    rules.check_amount(parse("10", "EUR"), limits)
    rules.check_amount(parse("20", "EUR"), limits)
    for units, code in (
        (limits.minimum.units - 1, "amount_below_minimum"),
        (limits.maximum.units + 1, "amount_above_maximum"),
    ):
        with pytest.raises(Problem) as caught:
            rules.check_amount(Money(units, "EUR"), limits)
        assert caught.value.code.name == code


def test_disagreements_name_what_differs() -> None:
    def differs(money: Money, asked_id: str | None, told_id: str) -> tuple[str, ...]:
        return rules.disagreements(
            asked_money=parse("10", "EUR"), asked_vendor_id=asked_id, told_money=money, told_vendor_id=told_id
        )

    assert differs(parse("10", "EUR"), "a", "a") == ()
    assert differs(parse("10", "EUR"), None, "a") == ()
    assert differs(parse("10.01", "EUR"), "b", "a") == ("vendor_id", "amount")
    assert differs(parse("10", "SEK"), "a", "a") == ("currency",)


def test_questions_become_rarer_and_never_stop() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    pauses = [rules.next_check(now, checks) - now for checks in range(40)]
    assert pauses[0] == timedelta(seconds=rules.FIRST_CHECK_SECONDS)
    assert pauses == sorted(pauses) and pauses[-1] == timedelta(seconds=rules.LONGEST_CHECK_SECONDS)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  fine \n thanks ", "fine thanks"), ("a\x00b", "a b"), ("\ud800x", "x"), ("å" * 600, "å" * 500), ("\t", "")],
)
def test_words_are_kept_clean(typed: str, kept: str) -> None:
    assert rules.clean_note(typed) == kept


def test_a_request_is_its_parts_and_not_their_sum() -> None:
    assert rules.request_hash("a", "bc") != rules.request_hash("ab", "c")
    assert rules.request_hash("a", "b") == rules.request_hash("a", "b")
