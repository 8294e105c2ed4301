"""Sessions: an opaque token of 256 bits of which only the hash is stored; idle and absolute ends decided by reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from whitefelt.accounts import rules
from whitefelt.accounts.models import (
    PlayerRow,
    PlayerSessionRow,
    StaffRow,
    StaffSessionRow,
    SupplierSessionRow,
    SupplierStaffRow,
)
from whitefelt.accounts.players import Player, player_of
from whitefelt.accounts.rules import PLAYER_LIFETIME, STAFF_LIFETIME, Lifetime
from whitefelt.accounts.staff import Staff, staff_of, supplier_staff_of
from whitefelt.kernel import ids
from whitefelt.kernel.db import Work


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun: the only moment at which its token is known to us."""

    token: str
    expires_at: datetime
    session_id: int
    player: Player


@dataclass(frozen=True, slots=True)
class StaffSignedIn:
    """As `SignedIn`, for the operator's or the supplier's staff."""

    token: str
    expires_at: datetime
    session_id: int
    staff: Staff


def open_player_session(work: Work, player: Player) -> SignedIn:
    """Begin a session of that player with the player's own brand."""
    token, columns = _new(work, PLAYER_LIFETIME)
    row = PlayerSessionRow(player_id=player.id, brand_id=player.brand_id, **columns)
    work.session.add(row)
    work.session.flush()
    return SignedIn(token, row.expires_at, row.id, player)


def open_staff_session(work: Work, staff: Staff) -> StaffSignedIn:
    """Begin a session in the back office."""
    token, columns = _new(work, STAFF_LIFETIME)
    row = StaffSessionRow(staff_id=staff.id, **columns)
    work.session.add(row)
    work.session.flush()
    return StaffSignedIn(token, row.expires_at, row.id, staff)


def open_supplier_session(work: Work, staff: Staff) -> StaffSignedIn:
    """Begin a session on the supplier's console; needs a platform_work."""
    token, columns = _new(work, STAFF_LIFETIME)
    row = SupplierSessionRow(staff_id=staff.id, **columns)
    work.session.add(row)
    work.session.flush()
    return StaffSignedIn(token, row.expires_at, row.id, staff)


def _new(work: Work, lifetime: Lifetime) -> tuple[str, dict[str, Any]]:
    token, now = ids.token(), work.now()
    columns = {
        "token_hash": ids.token_hash(token),
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + lifetime.absolute,
    }
    return token, columns


def player_of_token(work: Work, token: str, brand_id: int, *, seen: bool = True) -> tuple[Player, int] | None:
    """The player and session of a living token of that brand, marked as seen; None for any other."""
    row = work.session.execute(
        select(PlayerSessionRow, PlayerRow)
        .join(PlayerRow, PlayerRow.id == PlayerSessionRow.player_id)
        .where(PlayerSessionRow.token_hash == ids.token_hash(token), PlayerSessionRow.brand_id == brand_id)
    ).one_or_none()
    if row is None:
        return None
    session, found = row
    if found.brand_id != brand_id or found.status != "active" or not _alive(work, session, PLAYER_LIFETIME, seen):
        return None
    return player_of(found), session.id


def staff_of_token(work: Work, token: str) -> tuple[Staff, int] | None:
    """The staff member and session of a living back-office token, marked as seen; None for any other."""
    row = work.session.execute(
        select(StaffSessionRow, StaffRow)
        .join(StaffRow, StaffRow.id == StaffSessionRow.staff_id)
        .where(StaffSessionRow.token_hash == ids.token_hash(token))
    ).one_or_none()
    if row is None or row[1].status != "active" or not _alive(work, row[0], STAFF_LIFETIME):
        return None
    return staff_of(row[1]), row[0].id


def supplier_of_token(work: Work, token: str) -> tuple[Staff, int] | None:
    """The supplier's staff member and session of a living console token, marked as seen; None for any other."""
    row = work.session.execute(
        select(SupplierSessionRow, SupplierStaffRow)
        .join(SupplierStaffRow, SupplierStaffRow.id == SupplierSessionRow.staff_id)
        .where(SupplierSessionRow.token_hash == ids.token_hash(token))
    ).one_or_none()
    if row is None or row[1].status != "active" or not _alive(work, row[0], STAFF_LIFETIME):
        return None
    return supplier_staff_of(row[1]), row[0].id


_AnySession = PlayerSessionRow | StaffSessionRow | SupplierSessionRow


def _alive(work: Work, session: _AnySession, lifetime: Lifetime, seen: bool = True) -> bool:
    now = work.now()
    alive = rules.is_alive(
        now, lifetime, last_seen_at=session.last_seen_at, expires_at=session.expires_at, ended_at=session.ended_at
    )
    if alive and seen and now >= session.last_seen_at + rules.SEEN_EVERY:
        table = type(session)
        # Only forwards, and never a session that was ended meanwhile.
        work.session.execute(
            update(table)
            .where(table.id == session.id, table.last_seen_at < now, table.ended_at.is_(None))
            .values(last_seen_at=now)
        )
    return alive


def seen_playing(work: Work, player_id: int) -> None:
    """Count a bet as activity of the player's living sessions: who plays is not idle, though only the game speaks."""
    now, table = work.now(), PlayerSessionRow
    stale = now - rules.SEEN_EVERY
    alive = (table.ended_at.is_(None), table.expires_at > now, table.last_seen_at > now - PLAYER_LIFETIME.idle)
    work.session.execute(
        update(table).where(table.player_id == player_id, table.last_seen_at < stale, *alive).values(last_seen_at=now)
    )


def session_started_at(work: Work, session_id: int) -> datetime | None:
    """When a player's session began (session clocks show it); None for a session that is not there."""
    return work.session.scalar(select(PlayerSessionRow.created_at).where(PlayerSessionRow.id == session_id))


def sign_out(work: Work, session_id: int) -> None:
    """End a player's session; ending it twice is harmless."""
    _end(work, PlayerSessionRow, PlayerSessionRow.id == session_id, "signed_out")


def sign_out_staff(work: Work, session_id: int) -> None:
    """End a back-office session."""
    _end(work, StaffSessionRow, StaffSessionRow.id == session_id, "signed_out")


def sign_out_supplier(work: Work, session_id: int) -> None:
    """End a session on the supplier's console; needs a platform_work."""
    table = SupplierSessionRow
    work.session.execute(
        update(table).where(table.id == session_id, table.ended_at.is_(None)).values(ended_at=work.now())
    )


def end_player_sessions(work: Work, player_id: int, reason: str) -> int:
    """End every living session of a player (`excluded`, `blocked`, `closed`); returns how many there were."""
    return _end(work, PlayerSessionRow, PlayerSessionRow.player_id == player_id, reason)


def end_staff_sessions(work: Work, staff_id: int, reason: str = "disabled") -> int:
    """End every living session of a staff member; returns how many there were."""
    return _end(work, StaffSessionRow, StaffSessionRow.staff_id == staff_id, reason)


def _end(work: Work, table: Any, whose: Any, reason: str) -> int:
    ended = work.session.scalars(
        update(table)
        .where(whose, table.ended_at.is_(None))
        .values(ended_at=work.now(), end_reason=reason)
        .returning(table.id)
    )
    return len(ended.all())
