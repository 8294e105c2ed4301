"""Signing in: throttled per account and address, the same answer and the same work whatever is wrong.

Three steps with their own short transactions, none held while a password is hashed: the attempt is written as failed
(so that tries made at the same moment cannot exceed the allowance), the password is compared, the session begins.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from whitefelt.accounts import keys, passwords, rules, sessions
from whitefelt.accounts.errors import ACCOUNT_BLOCKED, CREDENTIALS_WRONG, TOO_MANY_ATTEMPTS
from whitefelt.accounts.models import (
    PlayerCredentialsRow,
    PlayerRow,
    SignInAttemptRow,
    StaffCredentialsRow,
    StaffRow,
    SupplierStaffRow,
)
from whitefelt.accounts.players import player_of
from whitefelt.accounts.sessions import SignedIn, StaffSignedIn
from whitefelt.accounts.staff import staff_of, supplier_staff_of
from whitefelt.kernel import rate
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.db import Work, platform_work, unit_of_work
from whitefelt.kernel.errors import Problem

#: Tries per minute from one address to one site, over all accounts; the allowance per account is far smaller.
TRIES_PER_MINUTE = 120
_MAX_TYPED = 256


def sign_in(tenant: TenantRef, brand_id: int, email: str, password: str, *, ip: str) -> SignedIn:
    """Begin a player's session with that brand; opens its own units of work (call it outside of any).

    Errors: `credentials_wrong` whatever was wrong; `too_many_attempts` after five failures within 15 minutes for this
    account from this address; `account_blocked` to those who know the password; `rate_limited`.
    """
    email, password, ip = email.strip()[:_MAX_TYPED], password[:_MAX_TYPED], ip[:64]
    rate.check("sign-in", f"{tenant.id}:{ip}", TRIES_PER_MINUTE, 60)
    key = keys.account_key("player", brand_id, email)
    with unit_of_work(tenant) as work:
        attempt_id = _begin_attempt(work, key, ip)
        whose = (PlayerRow.brand_id == brand_id, func.lower(PlayerRow.email) == _sought(email))
        found = work.session.execute(
            select(PlayerRow, PlayerCredentialsRow.password_hash)
            .join(PlayerCredentialsRow, PlayerCredentialsRow.player_id == PlayerRow.id)
            .where(*whose)
        ).one_or_none()
    stored = found[1] if found else None
    if not passwords.matches(stored, password) or found is None or stored is None:
        raise Problem(CREDENTIALS_WRONG)
    row = found[0]
    renewed = passwords.hash_password(password) if passwords.is_outdated(stored) else None
    with unit_of_work(tenant, Actor("player", str(row.public_id), row.first_name)) as work:
        _succeed(work, attempt_id)
        row = work.session.scalars(select(PlayerRow).where(PlayerRow.id == row.id)).one()
        if renewed:
            _renew(work, PlayerCredentialsRow, PlayerCredentialsRow.player_id == row.id, renewed)
        signed_in = sessions.open_player_session(work, player_of(row)) if row.status == "active" else None
    if signed_in is None:
        raise Problem(ACCOUNT_BLOCKED)
    return signed_in


def sign_in_staff(tenant: TenantRef, email: str, password: str, *, ip: str) -> StaffSignedIn:
    """Begin a session in the operator's back office; errors as `sign_in` (once disabled: `credentials_wrong`)."""
    email, password, ip = email.strip()[:_MAX_TYPED], password[:_MAX_TYPED], ip[:64]
    rate.check("sign-in", f"{tenant.id}:{ip}", TRIES_PER_MINUTE, 60)
    with unit_of_work(tenant) as work:
        attempt_id = _begin_attempt(work, keys.account_key("staff", 0, email), ip)
        found = work.session.execute(
            select(StaffRow, StaffCredentialsRow.password_hash)
            .join(StaffCredentialsRow, StaffCredentialsRow.staff_id == StaffRow.id)
            .where(func.lower(StaffRow.email) == _sought(email), StaffRow.status == "active")
        ).one_or_none()
    if not passwords.matches(found[1] if found else None, password) or found is None:
        raise Problem(CREDENTIALS_WRONG)
    staff = staff_of(found[0])
    with unit_of_work(tenant, Actor("staff", staff.public_id, staff.name)) as work:
        _succeed(work, attempt_id)
        return sessions.open_staff_session(work, staff)


def sign_in_supplier(email: str, password: str, *, ip: str) -> StaffSignedIn:
    """Begin a session on the supplier's console; errors as `sign_in`.

    The platform schema keeps no attempts: here the allowance, 30 tries in 15 minutes per account, is counted by
    kernel.rate.
    """
    email, password, ip = email.strip()[:_MAX_TYPED], password[:_MAX_TYPED], ip[:64]
    rate.check("sign-in", f"supplier:{ip}", TRIES_PER_MINUTE, 60)
    _throttle_supplier(keys.account_key("supplier", 0, email).hex(), ip)
    with platform_work() as work:
        row = work.session.scalar(
            select(SupplierStaffRow).where(
                SupplierStaffRow.email == _sought(email), SupplierStaffRow.status == "active"
            )
        )
    if not passwords.matches(row.password_hash if row else None, password) or row is None:
        raise Problem(CREDENTIALS_WRONG)
    staff = supplier_staff_of(row)
    with platform_work(Actor("supplier", staff.public_id, staff.name)) as work:
        return sessions.open_supplier_session(work, staff)


def _sought(email: str) -> str:
    """The address to look for: nobody's when it cannot be one, so that any text may be typed."""
    return email.lower() if rules.email_fault(email) is None else ""


def _throttle_supplier(key: str, ip: str) -> None:
    try:
        rate.check("sign-in-account", f"{key}:{ip}", 6 * rules.MAX_FAILURES, int(rules.FAILURE_WINDOW.total_seconds()))
    except Problem as problem:
        raise Problem(TOO_MANY_ATTEMPTS, **problem.extra) from None


def _begin_attempt(work: Work, key: bytes, ip: str) -> int:
    """Write a failed attempt and return its id, or refuse with `too_many_attempts`; one at a time per account."""
    lock = int.from_bytes(key[:8], "big", signed=True)
    work.session.execute(select(func.pg_advisory_xact_lock(lock)))
    now: datetime = work.now()
    mine: tuple[ColumnElement[bool], ...] = (SignInAttemptRow.account_key == key, SignInAttemptRow.ip == ip)
    last_success = (
        select(func.coalesce(func.max(SignInAttemptRow.id), 0))
        .where(*mine, SignInAttemptRow.succeeded)
        .scalar_subquery()
    )
    failed_at = work.session.scalars(
        select(SignInAttemptRow.attempted_at)
        .where(*mine, SignInAttemptRow.attempted_at > now - rules.FAILURE_WINDOW, SignInAttemptRow.id > last_success)
        .order_by(SignInAttemptRow.id.desc())
        .limit(rules.MAX_FAILURES)
    ).all()
    wait = rules.retry_after_seconds(now, list(failed_at))
    if wait is not None:
        raise Problem(TOO_MANY_ATTEMPTS, retry_after_seconds=wait)
    row = SignInAttemptRow(account_key=key, ip=ip, attempted_at=now)
    work.session.add(row)
    work.session.flush()
    return row.id


def _succeed(work: Work, attempt_id: int) -> None:
    work.session.execute(update(SignInAttemptRow).where(SignInAttemptRow.id == attempt_id).values(succeeded=True))


def _renew(work: Work, table: Any, whose: Any, password_hash: str) -> None:
    work.session.execute(update(table).where(whose).values(password_hash=password_hash, changed_at=work.now()))
