"""Signing in and out: what is told, what is not, how long it lasts, and who is locked out for how long."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

import people
from whitefelt import accounts
from whitefelt.accounts import handlers, passwords, sessions
from whitefelt.accounts.models import (
    PlayerCredentialsRow,
    PlayerSessionRow,
    SignInAttemptRow,
    StaffRow,
)
from whitefelt.kernel import clock
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import platform_work, unit_of_work
from whitefelt.kernel.errors import Problem

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def ip(request: pytest.FixtureRequest) -> Iterator[str]:
    """An address of its own, so that tests do not share an allowance."""
    yield f"test-{people.unique_name()}"


def sign_in(tenant: TenantRef, player: accounts.Player, ip: str, password: str = people.PASSWORD) -> accounts.SignedIn:
    return accounts.sign_in(tenant, player.brand_id, player.email, password, ip=ip)


def code_of(tenant: TenantRef, player: accounts.Player, ip: str, password: str = people.PASSWORD) -> str:
    try:
        sign_in(tenant, player, ip, password)
    except Problem as problem:
        return problem.code.name
    return "signed_in"


def lives(tenant: TenantRef, token: str, brand_id: int) -> bool:
    with unit_of_work(tenant) as work:
        return sessions.player_of_token(work, token, brand_id) is not None


# --- what is told ----------------------------------------------------------------------------------------------------


def test_the_right_password_gives_a_token_that_names_its_player(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    signed_in = accounts.sign_in(alpha, player.brand_id, f" {player.email.upper()} ", people.PASSWORD, ip=ip)
    assert signed_in.player == player and len(signed_in.token) >= 43
    with unit_of_work(alpha) as work:
        found = sessions.player_of_token(work, signed_in.token, player.brand_id)
        stored = work.session.scalars(select(PlayerSessionRow).where(PlayerSessionRow.player_id == player.id)).one()
    assert found == (player, signed_in.session_id)
    assert signed_in.token.encode() not in stored.token_hash


def test_whatever_is_wrong_the_answer_is_the_same(alpha: TenantRef, bravo: TenantRef, ip: str) -> None:
    player, elsewhere = people.register(alpha), people.register(bravo)
    told = []
    for email, password, brand_id in (
        (player.email, "wrong horse battery", player.brand_id),
        ("nobody@example.com", people.PASSWORD, player.brand_id),
        (elsewhere.email, people.PASSWORD, player.brand_id),
        (player.email, people.PASSWORD, player.brand_id + 1000),
        (player.email, "", player.brand_id),
        ("\x00", "\ud800", player.brand_id),
    ):
        with pytest.raises(Problem) as caught:
            accounts.sign_in(alpha, brand_id, email.replace("\x00", "?"), password, ip=ip)
        told.append(caught.value.document())
    assert all(one == told[0] for one in told) and told[0]["code"] == "credentials_wrong"
    assert code_of(alpha, player, ip) == "signed_in"


def test_an_unknown_address_costs_the_same_work(alpha: TenantRef, ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: one argon2 comparison with the same parameters on either way."""
    player, seen = people.register(alpha), []
    compare = passwords._hasher.verify

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            seen.append(stored.rsplit("$", 2)[0])
            return compare(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    for email in (player.email, "nobody@example.com"):
        with pytest.raises(Problem):
            accounts.sign_in(alpha, player.brand_id, email, "wrong horse battery", ip=ip)
    assert len(seen) == 2 and seen[0] == seen[1] and seen[0].startswith("$argon2id$")


def test_a_blocked_player_is_told_so_only_with_the_right_password(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    with unit_of_work(alpha) as work:
        accounts.set_player_status(work, player.id, "blocked")
    assert code_of(alpha, player, ip, "wrong horse battery") == "credentials_wrong"
    assert code_of(alpha, player, ip) == "account_blocked"


def test_a_hash_of_other_parameters_is_renewed_at_sign_in(alpha: TenantRef, ip: str) -> None:
    from argon2 import PasswordHasher

    player = people.register(alpha)
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(people.PASSWORD)
    whose = PlayerCredentialsRow.player_id == player.id
    with unit_of_work(alpha) as work:
        work.session.execute(update(PlayerCredentialsRow).where(whose).values(password_hash=old))
    assert code_of(alpha, player, ip, "wrong horse battery") == "credentials_wrong"
    with unit_of_work(alpha) as work:
        assert work.session.scalar(select(PlayerCredentialsRow.password_hash).where(whose)) == old
    assert code_of(alpha, player, ip) == "signed_in"
    with unit_of_work(alpha) as work:
        renewed = work.session.scalar(select(PlayerCredentialsRow.password_hash).where(whose))
    assert renewed is not None and not passwords.is_outdated(renewed)
    assert code_of(alpha, player, ip) == "signed_in"


# --- lock-out --------------------------------------------------------------------------------------------------------


def test_five_failures_lock_this_account_from_this_address_only(alpha: TenantRef, ip: str) -> None:
    player, other = people.register(alpha), people.register(alpha)
    with clock.frozen(NOON):
        for _ in range(5):
            assert code_of(alpha, player, ip, "wrong horse battery") == "credentials_wrong"
        assert code_of(alpha, player, ip) == "too_many_attempts", "even with the right password"
        assert code_of(alpha, player, ip + "-elsewhere") == "signed_in", "nobody can lock the player out for good"
        assert code_of(alpha, other, ip) == "signed_in"


def test_the_lock_opens_fifteen_minutes_after_the_first_of_the_five(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    for minute in range(5):
        with clock.frozen(NOON + timedelta(minutes=minute)):
            assert code_of(alpha, player, ip, "wrong horse battery") == "credentials_wrong"
    with clock.frozen(NOON + timedelta(minutes=15) - TICK), pytest.raises(Problem) as caught:
        sign_in(alpha, player, ip)
    assert caught.value.code.name == "too_many_attempts" and caught.value.code.status == 429
    assert caught.value.extra["retry_after_seconds"] == 1
    with clock.frozen(NOON + timedelta(minutes=15)):
        assert code_of(alpha, player, ip) == "signed_in"


def test_a_success_forgives_the_failures_before_it(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        for _ in range(2):
            for _ in range(4):
                assert code_of(alpha, player, ip, "wrong horse battery") == "credentials_wrong"
            assert code_of(alpha, player, ip) == "signed_in"


def test_an_address_that_nobody_has_is_locked_the_same_way(alpha: TenantRef, ip: str) -> None:
    brand_id, told = people.register(alpha).brand_id, []
    with clock.frozen(NOON):
        for _ in range(6):
            with pytest.raises(Problem) as caught:
                accounts.sign_in(alpha, brand_id, "nobody-here@example.com", "wrong horse battery", ip=ip)
            told.append(caught.value.code.name)
    assert told == ["credentials_wrong"] * 5 + ["too_many_attempts"]


def test_guesses_made_at_the_same_moment_share_one_allowance(alpha: TenantRef, ip: str) -> None:
    player, together = people.register(alpha), Barrier(8)

    def guess(_: int) -> str:
        together.wait(10)
        return code_of(alpha, player, ip, "wrong horse battery")

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(guess, range(8)))
    assert answers == ["credentials_wrong"] * 5 + ["too_many_attempts"] * 3


def test_what_is_kept_of_an_attempt_names_no_address(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    code_of(alpha, player, ip, "wrong horse battery")
    with unit_of_work(alpha) as work:
        row = work.session.scalars(select(SignInAttemptRow).where(SignInAttemptRow.ip == ip)).one()
    assert not row.succeeded and player.email.encode() not in row.account_key


def test_attempts_are_forgotten_after_thirty_days(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    for at in (NOON, NOON + TICK):
        with clock.frozen(at):
            code_of(alpha, player, ip, "wrong horse battery")
    with clock.frozen(NOON + timedelta(days=30) + TICK):
        handlers.forget_attempts(alpha, clock.now())
    with unit_of_work(alpha) as work:
        kept = select(SignInAttemptRow.attempted_at).where(SignInAttemptRow.ip == ip)
        assert list(work.session.scalars(kept)) == [NOON + TICK]


def test_the_suppliers_door_is_throttled_per_account_and_address(platform: object, ip: str) -> None:
    def attempt(email: str, from_ip: str) -> str:
        with pytest.raises(Problem) as caught:
            accounts.sign_in_supplier(email, "wrong horse battery", ip=from_ip)
        return caught.value.code.name

    with clock.frozen(NOON):
        answers = [attempt(f"{ip}@supplier.example", ip) for _ in range(31)]
        assert answers == ["credentials_wrong"] * 30 + ["too_many_attempts"]
        assert attempt(f"{ip}@supplier.example", f"{ip}-b") == "credentials_wrong"
        assert attempt(f"{ip}-b@supplier.example", ip) == "credentials_wrong"


# --- how long a session lasts ----------------------------------------------------------------------------------------


def test_idle_for_thirty_minutes_to_the_microsecond(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        early, late = sign_in(alpha, player, ip), sign_in(alpha, player, ip)
    with clock.frozen(NOON + timedelta(minutes=30) - TICK):
        assert lives(alpha, early.token, player.brand_id)
    with clock.frozen(NOON + timedelta(minutes=30)):
        assert not lives(alpha, late.token, player.brand_id)
        assert lives(alpha, early.token, player.brand_id), "use has moved its end"
    with clock.frozen(NOON + timedelta(minutes=60) - TICK - TICK):
        assert lives(alpha, early.token, player.brand_id)


def test_a_page_that_polls_keeps_no_session_alive_but_play_does(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        polled, playing = sign_in(alpha, player, ip), sign_in(alpha, player, ip)
    with clock.frozen(NOON + timedelta(minutes=20)), unit_of_work(alpha) as work:
        assert sessions.player_of_token(work, polled.token, player.brand_id, seen=False) is not None
    with clock.frozen(NOON + timedelta(minutes=30)):
        assert not lives(alpha, polled.token, player.brand_id), "polling has not moved its end"
        assert not lives(alpha, playing.token, player.brand_id)
    with clock.frozen(NOON + timedelta(hours=1)):
        playing = sign_in(alpha, player, ip)
    with clock.frozen(NOON + timedelta(hours=1, minutes=20)), unit_of_work(alpha) as work:
        accounts.seen_playing(work, player.id)
    with clock.frozen(NOON + timedelta(hours=1, minutes=40)):
        assert lives(alpha, playing.token, player.brand_id), "a bet has moved its end"
        assert not lives(alpha, polled.token, player.brand_id), "and woke nothing that had ended"


def test_twelve_hours_in_all_however_busy(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        signed_in = sign_in(alpha, player, ip)
    assert signed_in.expires_at == NOON + timedelta(hours=12)
    for minutes in range(20, 12 * 60, 20):
        with clock.frozen(NOON + timedelta(minutes=minutes)):
            assert lives(alpha, signed_in.token, player.brand_id)
    with clock.frozen(NOON + timedelta(hours=12) - TICK):
        assert lives(alpha, signed_in.token, player.brand_id)
    with clock.frozen(NOON + timedelta(hours=12)):
        assert not lives(alpha, signed_in.token, player.brand_id)


def test_last_seen_is_written_once_a_minute(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    with clock.frozen(NOON):
        signed_in = sign_in(alpha, player, ip)
    for seconds, expected in ((59, 0), (60, 60), (119, 60), (120, 120)):
        with clock.frozen(NOON + timedelta(seconds=seconds)):
            assert lives(alpha, signed_in.token, player.brand_id)
        with unit_of_work(alpha) as work:
            seen = work.session.get_one(PlayerSessionRow, signed_in.session_id).last_seen_at
        assert seen == NOON + timedelta(seconds=expected)


def test_signing_out_ends_this_session_and_no_other(alpha: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    here, there = sign_in(alpha, player, ip), sign_in(alpha, player, ip)
    with unit_of_work(alpha) as work:
        accounts.sign_out(work, here.session_id)
        accounts.sign_out(work, here.session_id)
    assert not lives(alpha, here.token, player.brand_id)
    assert lives(alpha, there.token, player.brand_id)


def test_a_token_is_worth_nothing_elsewhere(alpha: TenantRef, bravo: TenantRef, ip: str) -> None:
    player = people.register(alpha)
    signed_in = sign_in(alpha, player, ip)
    assert not lives(bravo, signed_in.token, player.brand_id)
    assert not lives(alpha, signed_in.token, player.brand_id + 1)
    assert not lives(alpha, signed_in.token + "x", player.brand_id)
    assert not lives(alpha, "", player.brand_id)
    with unit_of_work(alpha) as work:
        assert sessions.staff_of_token(work, signed_in.token) is None
    assert lives(alpha, signed_in.token, player.brand_id)


# --- staff -----------------------------------------------------------------------------------------------------------


def staff_lives(tenant: TenantRef, token: str) -> bool:
    with unit_of_work(tenant) as work:
        return sessions.staff_of_token(work, token) is not None


def hire(tenant: TenantRef, role: str = "payments") -> accounts.Staff:
    with unit_of_work(tenant) as work:
        name = people.unique_name()
        return accounts.create_staff(work, f"{name}@operator.example", f"Pat {name}", role, people.PASSWORD)


def test_staff_sessions_are_shorter(alpha: TenantRef, ip: str) -> None:
    staff = hire(alpha)
    with clock.frozen(NOON):
        signed_in = accounts.sign_in_staff(alpha, staff.email.upper(), people.PASSWORD, ip=ip)
    assert signed_in.staff == staff and "withdrawals.decide" in staff.permissions
    assert signed_in.expires_at == NOON + timedelta(hours=10)
    with clock.frozen(NOON + timedelta(minutes=15) - TICK):
        assert staff_lives(alpha, signed_in.token)
    with clock.frozen(NOON + timedelta(minutes=30) - TICK):
        assert not staff_lives(alpha, signed_in.token)


def test_staff_of_one_operator_are_nobody_at_the_other(alpha: TenantRef, bravo: TenantRef, ip: str) -> None:
    staff = hire(alpha)
    token = accounts.sign_in_staff(alpha, staff.email, people.PASSWORD, ip=ip).token
    assert staff_lives(alpha, token) and not staff_lives(bravo, token)
    with pytest.raises(Problem) as caught:
        accounts.sign_in_staff(bravo, staff.email, people.PASSWORD, ip=ip)
    assert caught.value.code.name == "credentials_wrong"


def test_whoever_is_disabled_is_out_at_once(alpha: TenantRef, ip: str) -> None:
    staff = hire(alpha)
    token = accounts.sign_in_staff(alpha, staff.email, people.PASSWORD, ip=ip).token
    with unit_of_work(alpha) as work:
        accounts.disable_staff(work, staff.id)
    assert not staff_lives(alpha, token)
    with pytest.raises(Problem) as caught:
        accounts.sign_in_staff(alpha, staff.email, people.PASSWORD, ip=ip)
    assert caught.value.code.name == "credentials_wrong"


def test_staff_failures_are_throttled_too(alpha: TenantRef, ip: str) -> None:
    staff, told = hire(alpha), []
    with clock.frozen(NOON):
        for password in ["wrong horse battery"] * 5 + [people.PASSWORD]:
            with pytest.raises(Problem) as caught:
                accounts.sign_in_staff(alpha, staff.email, password, ip=ip)
            told.append(caught.value.code.name)
    assert told == ["credentials_wrong"] * 5 + ["too_many_attempts"]


def test_staff_addresses_are_unique_and_roles_known(alpha: TenantRef) -> None:
    staff = hire(alpha)
    with unit_of_work(alpha) as work:
        with pytest.raises(Problem) as caught:
            accounts.create_staff(work, staff.email.upper(), "Pat", "payments", people.PASSWORD)
        assert caught.value.code.name == "staff_exists"
        with pytest.raises(Problem) as caught:
            accounts.create_staff(work, "x@operator.example", "Pat", "owner", "short")
        assert set(caught.value.extra["errors"]) == {"role", "password"}
        assert accounts.staff_by_email(work, staff.email) == staff
        assert work.session.scalar(select(func.count()).where(StaffRow.email == staff.email)) == 1


def test_the_suppliers_people_have_a_door_of_their_own(alpha: TenantRef, ip: str) -> None:
    email = f"{people.unique_name()}@supplier.example"
    with platform_work() as work:
        made = accounts.create_supplier_staff(work, email, "Sam Supplier", "viewer", people.PASSWORD)
    signed_in = accounts.sign_in_supplier(email.upper(), people.PASSWORD, ip=ip)
    assert signed_in.staff == made and made.permissions == {"tenants.read", "fleet.read"}
    with platform_work() as work:
        assert sessions.supplier_of_token(work, signed_in.token) == (made, signed_in.session_id)
    assert not staff_lives(alpha, signed_in.token)
    with platform_work() as work:
        accounts.sign_out_supplier(work, signed_in.session_id)
    with platform_work() as work:
        assert sessions.supplier_of_token(work, signed_in.token) is None
    with pytest.raises(Problem) as caught:
        accounts.sign_in_supplier(email, "wrong horse battery", ip=ip)
    assert caught.value.code.name == "credentials_wrong"
