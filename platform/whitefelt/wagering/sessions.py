"""Play sessions, and what a bet must know: read once, remembered for a moment, made void by the wallet's terms.

The memory is safe because nothing in it decides about money: whether stakes are allowed and which version of the terms
holds is decided by the wallet under the pocket's lock. A change of limits, an exclusion, a block and the end of a session
all make a new version, so what is remembered here is void at once, in every process; the time to live only bounds the
memory's age where the rules themselves change with the hour.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from whitefelt import accounts, compliance, wallet
from whitefelt.kernel import clock, ids
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.tenancy import Integration
from whitefelt.wagering.models import PlaySession
from whitefelt.wallet import Cap, House, Pockets

SESSION_HOURS = 12
FRESH_SECONDS = 15.0
_MAX_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session just opened; `token` is told once and only its hash is kept."""

    public_id: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Purse:
    """A player's money addresses: never change, so they may be remembered for long."""

    player_id: int
    player: str
    pockets: Pockets
    house: House


@dataclass(frozen=True, slots=True)
class BetContext:
    """What a bet needs beside the message: whose session, and the caps that hold under these terms."""

    player: str
    game_code: str
    expires_at: datetime
    ended: bool
    may_play: bool
    terms: int
    caps: tuple[Cap, ...]


def open_session(work: Work, player: accounts.Player, integration: Integration, game_code: str) -> OpenedSession:
    """A new session of that player with that game; earlier ones of the same integration end. Needs a money_work."""
    end_sessions(work, player, integration_id=integration.id)
    token, public_id, expires = ids.token(), str(ids.uuid7()), clock.after(hours=SESSION_HOURS)
    work.session.add(
        PlaySession(
            public_id=public_id, token_hash=ids.token_hash(token), player_id=player.id,
            integration_id=integration.id, game_code=game_code, currency=player.currency, expires_at=expires,
        )
    )  # fmt: skip
    work.session.flush()
    return OpenedSession(public_id, token, expires)


def end_sessions(work: Work, player: accounts.Player, integration_id: int | None = None) -> None:
    """End the player's running sessions, all or of one integration: from this commit on their tokens take no bet.

    Needs a money_work: the player's terms become new, so that no process bets on by what it remembers.
    """
    query = update(PlaySession).where(PlaySession.player_id == player.id, PlaySession.ended_at.is_(None))
    if integration_id is not None:
        query = query.where(PlaySession.integration_id == integration_id)
    ended = work.session.execute(query.values(ended_at=clock.now()).returning(PlaySession.id)).all()
    pockets = wallet.find_pockets(work, player.owner, player.currency) if ended else None
    if pockets is not None:
        wallet.renew_terms(work, pockets)


_purses: dict[tuple[int, str, str], Purse] = {}
_contexts: dict[tuple[int, bytes], tuple[float, BetContext]] = {}


def forget() -> None:
    """Drop what this process remembers (tests, after a fork)."""
    _purses.clear()
    _contexts.clear()


def purse(tenant: TenantRef, player_public_id: str, currency: str) -> Purse | None:
    """The player's pockets in that currency; None when there is no such player or no such pockets."""
    key = (tenant.id, player_public_id, currency)
    found = _purses.get(key)
    if found is None:
        found = _load_purse(tenant, player_public_id, currency)
        if found is not None:
            if len(_purses) > _MAX_REMEMBERED:
                _purses.clear()
            _purses[key] = found
    return found


def _load_purse(tenant: TenantRef, player_public_id: str, currency: str) -> Purse | None:
    try:
        with unit_of_work(tenant) as work:
            player = accounts.player_by_public_id(work, player_public_id)
            pockets = wallet.find_pockets(work, player.owner, currency)
    except Problem:
        return None
    if pockets is None:
        return None
    with money_work(tenant) as work:
        return Purse(player.id, player.public_id, pockets, wallet.play_house(work, currency))


def bet_context(
    tenant: TenantRef, integration: Integration, token: str, owner: Purse, *, fresh: bool = False
) -> BetContext | None:
    """The context of a session token; None when no session of this integration and player has it."""
    key = (tenant.id, ids.token_hash(f"{integration.id}:{owner.player}:{token}"))
    found = _contexts.get(key)
    if not fresh and found is not None and found[0] > time.monotonic():
        return found[1]
    loaded = _load_context(tenant, integration, token, owner)
    # Only what permits is remembered: a refusal may be over by the next message, and nothing would say so.
    if loaded is not None and loaded.may_play and not loaded.ended:
        if len(_contexts) > _MAX_REMEMBERED:
            _contexts.clear()
        _contexts[key] = (time.monotonic() + FRESH_SECONDS, loaded)
    return loaded


def _load_context(tenant: TenantRef, integration: Integration, token: str, owner: Purse) -> BetContext | None:
    with unit_of_work(tenant) as work:
        # The version is read before anything else: whatever changes after it makes a newer one, and the wallet then refuses
        # what we read, the session's end included.
        terms = wallet.terms(work, owner.pockets)
        row = work.session.scalar(
            select(PlaySession).where(
                PlaySession.token_hash == ids.token_hash(token), PlaySession.integration_id == integration.id
            )
        )
        if row is None or row.player_id != owner.player_id:
            return None
        player = accounts.player(work, row.player_id)
        may_play = True
        try:
            compliance.play_gate(work, player)
        except Problem:
            may_play = False
        caps = compliance.stake_caps(work, player)
        accounts.seen_playing(work, player.id)
        return BetContext(
            owner.player, row.game_code, row.expires_at, row.ended_at is not None, may_play, terms, tuple(caps)
        )
