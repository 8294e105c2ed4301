"""Limits, exclusions and gates over the real wallet: what is refused, what is counted, and from which instant."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

import people
from compliance_tests import fund, may_stake
from whitefelt import accounts, audit, compliance, wallet
from whitefelt.compliance import handlers
from whitefelt.compliance.models import DepositLimitRow, ExclusionRow
from whitefelt.kernel import clock
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, parse

#: A Wednesday noon in winter: 13:00 in Malta and Stockholm.
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
STAFF = Actor("staff", "s-1", "Pat")


def verified(tenant: TenantRef) -> accounts.Player:
    """A player whose identity is proven (as complete_identity does it, without a vendor)."""
    player = people.register(tenant)
    person = accounts.Person(player.first_name, player.last_name, player.birth_date, player.country)
    with money_work(tenant) as work:
        return accounts.set_verified(work, player.id, person, f"no-{player.public_id}")


def set_limit(
    tenant: TenantRef, player: accounts.Player, period: str, amount: str | None, actor: Actor | None = None
) -> compliance.DepositLimit:
    money = parse(amount, player.currency) if amount is not None else None
    with money_work(tenant, actor or Actor("player", player.public_id)) as work:
        return compliance.set_deposit_limit(work, player, period, money)


def amounts(tenant: TenantRef, player: accounts.Player) -> dict[str, Money | None]:
    with unit_of_work(tenant) as work:
        return {one.period: one.money for one in compliance.limits(work, player).deposit}


def gate(tenant: TenantRef, player: accounts.Player, which: str = "play") -> str | None:
    with unit_of_work(tenant) as work:
        try:
            getattr(compliance, f"{which}_gate")(work, player)
        except Problem as problem:
            return problem.code.name
    return None


_refs = itertools.count(1)


def deposit(tenant: TenantRef, player: accounts.Player, amount: str) -> wallet.Outcome:
    """Claim the caps of a deposit, as the cashier does before it asks for money."""
    money = parse(amount, player.currency)
    with money_work(tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, player.currency)
        assert pockets is not None
        caps = compliance.deposit_caps(work, player, money)
        ref = f"test-allowance:{player.public_id}:{next(_refs)}"
        return wallet.claim(work, source=0, ref=ref, pockets=pockets, caps=caps)


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_first_limit_applies_at_once_and_to_the_unit(alpha: TenantRef) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        assert deposit(alpha, player, "10").posted, "no limit yet, but it counts"
        set_limit(alpha, player, "day", "100")
        assert deposit(alpha, player, "90.000001").status == "cap_reached"
        assert deposit(alpha, player, "90").posted
        assert deposit(alpha, player, "0.000001").status == "cap_reached"
    with clock.frozen(datetime(2026, 11, 18, 23, tzinfo=UTC) - TICK):
        assert deposit(alpha, player, "0.000001").status == "cap_reached"
    with clock.frozen(datetime(2026, 11, 18, 23, tzinfo=UTC)):
        assert deposit(alpha, player, "100").posted, "midnight in Malta"


def test_every_period_holds_on_its_own_and_the_lowest_wins(alpha: TenantRef) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        for period, amount in (("day", "50"), ("week", "80"), ("month", "1000")):
            set_limit(alpha, player, period, amount)
        assert deposit(alpha, player, "50").posted
        assert deposit(alpha, player, "1").detail["counter"] == "deposit:day"
    with clock.frozen(NOON + timedelta(days=1)):
        reached = deposit(alpha, player, "31")
        assert (reached.detail["counter"], reached.detail["window"]) == ("deposit:week", "2026-W47")
        assert deposit(alpha, player, "30").posted


def test_malta_a_looser_limit_waits_a_day_and_needs_no_job(alpha: TenantRef) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        set_limit(alpha, player, "day", "100")
        asked = set_limit(alpha, player, "day", "500")
        assert asked.money == parse("100", "EUR")
        assert asked.pending is not None and asked.pending.effective_at == NOON + timedelta(hours=24)
    with clock.frozen(NOON + timedelta(hours=24) - TICK):
        assert amounts(alpha, player)["day"] == parse("100", "EUR")
        assert deposit(alpha, player, "101").status == "cap_reached"
    with clock.frozen(NOON + timedelta(hours=24)):
        assert amounts(alpha, player)["day"] == parse("500", "EUR")
        assert deposit(alpha, player, "101").posted


def test_a_waiting_change_can_be_taken_back_once(alpha: TenantRef) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        set_limit(alpha, player, "week", "100")
        set_limit(alpha, player, "week", None)
        with money_work(alpha) as work:
            assert compliance.cancel_pending(work, player, "week").pending is None
        with money_work(alpha) as work, pytest.raises(Problem) as caught:
            compliance.cancel_pending(work, player, "week")
    assert caught.value.code.name == "limit_not_pending"
    with clock.frozen(NOON + timedelta(days=40)):
        assert amounts(alpha, player)["week"] == parse("100", "EUR")


def test_tightening_replaces_what_waits(alpha: TenantRef) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        set_limit(alpha, player, "day", "100")
        set_limit(alpha, player, "day", "500")
        assert set_limit(alpha, player, "day", "50").pending is None
    with clock.frozen(NOON + timedelta(days=2)):
        assert amounts(alpha, player)["day"] == parse("50", "EUR")


def test_asking_again_does_not_shorten_the_wait(alpha: TenantRef) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        set_limit(alpha, player, "day", "100")
        set_limit(alpha, player, "day", "500")
    with clock.frozen(NOON + timedelta(hours=23)):
        again = set_limit(alpha, player, "day", "600").pending
    assert again is not None and again.effective_at == NOON + timedelta(hours=47)
    with clock.frozen(NOON + timedelta(hours=24)):
        assert amounts(alpha, player)["day"] == parse("100", "EUR")


def test_the_operators_limit_beside_the_players_own(alpha: TenantRef) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        set_limit(alpha, player, "day", "100")
        set_limit(alpha, player, "day", "40", STAFF)
        assert amounts(alpha, player)["day"] == parse("40", "EUR")
        assert deposit(alpha, player, "41").status == "cap_reached"
        set_limit(alpha, player, "day", "30")
        assert amounts(alpha, player)["day"] == parse("30", "EUR")


def test_sweden_needs_identity_and_a_limit_before_anything(bravo: TenantRef) -> None:
    player = people.register(bravo)
    assert gate(bravo, player) == gate(bravo, player, "deposit") == "identity_required"
    player = verified(bravo)
    assert gate(bravo, player) == gate(bravo, player, "deposit") == "limit_required"
    assert not may_stake(bravo, player)
    set_limit(bravo, player, "month", "1000")
    assert gate(bravo, player) is None and gate(bravo, player, "deposit") is None
    assert may_stake(bravo, player)


def test_sweden_a_mandatory_limit_cannot_be_removed_only_changed(bravo: TenantRef) -> None:
    player = verified(bravo)
    with clock.frozen(NOON):
        set_limit(bravo, player, "week", "100")
        with pytest.raises(Problem) as caught:
            set_limit(bravo, player, "week", None)
        assert caught.value.code.name == "limit_required"
        pending = set_limit(bravo, player, "week", "200").pending
    assert pending is not None and pending.effective_at == datetime(2026, 11, 22, 23, tzinfo=UTC), "Sunday's end"


def test_a_limit_row_says_by_which_rule_it_waits(bravo: TenantRef) -> None:
    player = verified(bravo)
    set_limit(bravo, player, "day", "100")
    with unit_of_work(bravo) as work:
        row = work.session.scalars(select(DepositLimitRow).where(DepositLimitRow.player_id == player.id)).one()
    assert (row.rule, row.rule_version) == ("SE.limit_increase", "2026-11-22/2019-01-01")


def test_setting_the_same_limit_again_writes_nothing(alpha: TenantRef) -> None:
    player = people.register(alpha)
    for _ in range(3):
        set_limit(alpha, player, "day", "100")
    with unit_of_work(alpha) as work:
        rows = work.session.scalars(select(DepositLimitRow).where(DepositLimitRow.player_id == player.id)).all()
    assert len(rows) == 1


def test_what_has_taken_effect_cannot_be_cancelled_even_by_hand(alpha: TenantRef) -> None:
    player = people.register(alpha)
    set_limit(alpha, player, "day", "100")
    with unit_of_work(alpha) as work:
        row = work.session.scalars(select(DepositLimitRow).where(DepositLimitRow.player_id == player.id)).one()
        row.cancelled_at = work.now()
        with pytest.raises(Exception, match="ck_deposit_limits_cancel"):
            work.session.flush()
        work.session.rollback()


def test_malta_counts_unproven_deposits_up_to_two_thousand(alpha: TenantRef) -> None:
    player = people.register(alpha)
    assert deposit(alpha, player, "1999.99").posted
    reached = deposit(alpha, player, "0.02")
    assert reached.status == "cap_reached"
    problem = compliance.cap_problem(str(reached.detail["counter"]))
    assert problem is not None and problem.code.name == "identity_required"
    assert compliance.cap_problem("deposit:day") is None
    assert deposit(alpha, player, "0.01").posted
    person = accounts.Person(player.first_name, player.last_name, player.birth_date, "MT")
    with money_work(alpha) as work:
        player = accounts.set_verified(work, player.id, person, f"no-{player.public_id}")
    assert deposit(alpha, player, "5000").posted


def test_sweden_keeps_three_seconds_between_slots(bravo: TenantRef, alpha: TenantRef) -> None:
    swede, maltese = people.register(bravo), people.register(alpha)
    with unit_of_work(bravo) as work:
        (cap,) = compliance.stake_caps(work, swede, "slots")
        assert cap.gap_ms == 3000 and cap.ceiling_units is None
        assert compliance.stake_caps(work, swede, "roulette") == compliance.stake_caps(work, swede) == ()
    with unit_of_work(alpha) as work:
        assert compliance.stake_caps(work, maltese, "slots") == ()


# --- exclusions ------------------------------------------------------------------------------------------------------


def take_break(tenant: TenantRef, player: accounts.Player, kind: str, option: str) -> compliance.Exclusion:
    with money_work(tenant, Actor("player", player.public_id)) as work:
        return compliance.exclude_for(work, player, kind, option)


@pytest.fixture
def funded(alpha: TenantRef) -> Iterator[accounts.Player]:
    player = people.register(alpha)
    fund(alpha, player, "100")
    yield player


def test_a_break_stops_stakes_deposits_and_sessions_in_one_commit(alpha: TenantRef, funded: accounts.Player) -> None:
    assert may_stake(alpha, funded)
    with unit_of_work(alpha) as work:
        session = accounts.open_player_session(work, funded)
    take_break(alpha, funded, "time_out", "24h")
    assert not may_stake(alpha, funded)
    assert gate(alpha, funded) == gate(alpha, funded, "deposit") == "excluded"
    assert gate(alpha, funded, "withdraw") is None, "one's own money stays within reach"
    with unit_of_work(alpha) as work:
        from whitefelt.accounts.sessions import player_of_token

        assert player_of_token(work, session.token, funded.brand_id) is None
    again = accounts.sign_in(alpha, funded.brand_id, funded.email, people.PASSWORD, ip="break")
    assert again.player.id == funded.id, "to withdraw, one must be able to sign in"


def test_a_break_ends_at_its_instant_and_the_stakes_with_the_next_tick(
    alpha: TenantRef, funded: accounts.Player
) -> None:
    with clock.frozen(NOON):
        found = take_break(alpha, funded, "time_out", "24h")
    assert found.ends_at == NOON + timedelta(hours=24)
    with clock.frozen(NOON + timedelta(hours=24) - TICK):
        assert gate(alpha, funded) == "excluded"
        handlers.settle_exclusions(alpha, clock.now())
        assert not may_stake(alpha, funded)
    with clock.frozen(NOON + timedelta(hours=24)):
        assert gate(alpha, funded) is None
        assert not may_stake(alpha, funded), "the wallet is never ahead of us"
        handlers.settle_exclusions(alpha, clock.now())
        assert may_stake(alpha, funded)
        handlers.settle_exclusions(alpha, clock.now())
    with unit_of_work(alpha) as work:
        row = work.session.scalars(select(ExclusionRow).where(ExclusionRow.player_id == funded.id)).one()
        assert row.settled_at == NOON + timedelta(hours=24)


def test_a_shorter_break_does_not_shorten_a_longer_one(alpha: TenantRef, funded: accounts.Player) -> None:
    with clock.frozen(NOON):
        take_break(alpha, funded, "self_exclusion", "6months")
        take_break(alpha, funded, "time_out", "24h")
    with clock.frozen(NOON + timedelta(days=2)):
        handlers.settle_exclusions(alpha, clock.now())
        assert gate(alpha, funded) == "excluded" and not may_stake(alpha, funded)
        with unit_of_work(alpha) as work:
            found = compliance.exclusion(work, funded)
    assert found is not None and found.kind == "self_exclusion"


def test_for_ever_is_for_ever(alpha: TenantRef, funded: accounts.Player) -> None:
    with clock.frozen(NOON):
        assert take_break(alpha, funded, "self_exclusion", "indefinite").ends_at is None
        take_break(alpha, funded, "time_out", "24h")
    with clock.frozen(NOON + timedelta(days=36500)):
        handlers.settle_exclusions(alpha, clock.now())
        assert gate(alpha, funded) == "excluded" and not may_stake(alpha, funded)
        with unit_of_work(alpha) as work:
            found = compliance.exclusion(work, funded)
    assert found is not None and found.ends_at is None


def test_limits_survive_a_break(alpha: TenantRef, funded: accounts.Player) -> None:
    with clock.frozen(NOON):
        set_limit(alpha, funded, "day", "100")
        take_break(alpha, funded, "time_out", "24h")
    with clock.frozen(NOON + timedelta(days=2)):
        assert amounts(alpha, funded)["day"] == parse("100", "EUR")


@pytest.mark.parametrize(
    "kind, option", [("time_out", "25h"), ("self_exclusion", "24h"), ("operator_exclusion", "24h")]
)
def test_spans_that_are_not_offered(alpha: TenantRef, funded: accounts.Player, kind: str, option: str) -> None:
    with pytest.raises(Problem) as caught:
        take_break(alpha, funded, kind, option)
    assert caught.value.code.name == "fields_invalid"
    assert gate(alpha, funded) is None


# --- blocking --------------------------------------------------------------------------------------------------------


def test_a_block_shuts_everything_and_lifting_it_respects_the_rest(alpha: TenantRef, funded: accounts.Player) -> None:
    with money_work(alpha, STAFF) as work:
        assert compliance.block_player(work, funded.id, "stolen card").status == "blocked"
    assert [gate(alpha, funded, which) for which in ("play", "deposit", "withdraw")] == ["account_blocked"] * 3
    assert not may_stake(alpha, funded)
    take_break(alpha, funded, "time_out", "24h")
    with money_work(alpha, STAFF) as work:
        compliance.unblock_player(work, funded.id, "cleared")
    assert gate(alpha, funded) == "excluded" and not may_stake(alpha, funded)
    with unit_of_work(alpha) as work:
        entries = audit.entries(work, before=None, limit=10, subject=f"player:{funded.public_id}")
    assert [entry.action for entry in entries] == ["player.active", "player.excluded", "player.blocked"]
    assert entries[-1].reason == "stolen card" and entries[-1].actor_name == "Pat"
