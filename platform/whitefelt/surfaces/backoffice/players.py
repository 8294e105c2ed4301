"""Players: finding one, and everything about one: profile, balances, limits, timeline, rounds, statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, request

from whitefelt import accounts, audit, compliance, tenancy, wallet
from whitefelt.accounts import Player
from whitefelt.kernel import clock
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money
from whitefelt.kernel.routes import access
from whitefelt.surfaces.backoffice import story
from whitefelt.surfaces.backoffice.masking import mask_email, mask_name
from whitefelt.surfaces.backoffice.page import (
    PAGE_SIZE,
    Badge,
    Fact,
    Notice,
    Tab,
    address,
    before,
    frame,
    may,
    page,
    reading,
)
from whitefelt.surfaces.console import money, when

_STATES = {
    "active": Badge("quiet", "Active"), "blocked": Badge("bad", "Blocked"), "closed": Badge("quiet", "Closed"),
}  # fmt: skip
_VERIFIED, _UNVERIFIED = Badge("good", "Verified"), Badge("quiet", "Not verified")
_SHOWN = {"timeline": "Timeline", "rounds": "Rounds", "statement": "Statement"}
_KINDS = {"time_out": "a break", "self_exclusion": "self-exclusion", "operator_exclusion": "exclusion by the operator"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list."""

    id: str
    name: str
    email: str
    brand: str
    jurisdiction: str
    currency: str
    identity: Badge
    created_at: datetime
    state: Badge


@dataclass(frozen=True, slots=True)
class Round:
    """One game round."""

    at: datetime
    game: str
    ref: str
    staked: Money
    won: Money
    net: Money
    state: Badge


@access("staff", "players.read")
def search() -> Response:
    """Players by the beginning of an address or last name, or by number; newest first."""
    query = request.args.get("query", "").strip()[:120]
    with reading() as work:
        found = accounts.find_players(work, query, before(), PAGE_SIZE + 1)
        surrounding = frame(work, "/players", query=query)
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    full = may("players.pii")
    rows = [
        Row(
            one.public_id, one.name if full else mask_name(one.name), mask_email(one.email), _brand(one),
            one.jurisdiction, one.currency, _VERIFIED if one.verified_at else _UNVERIFIED, one.created_at,
            _STATES[one.status],
        )
        for one in shown
    ]  # fmt: skip
    return page(
        "players.html", surrounding, rows=rows, query=query, masked=not full,
        newest=address("/players", query=query) if before() else "",
        older=address("/players", query=query, before=shown[-1].id) if more else "",
    )  # fmt: skip


def _brand(player: Player) -> str:
    try:
        return tenancy.brand_by_id(player.brand_id).name
    except KeyError:
        return ""


@access("staff", "players.read")
def detail(public_id: str) -> Response:
    """One player, personal data masked."""
    with reading() as work:
        return _detail(work, accounts.player_by_public_id(work, public_id), full=False)


@access("staff", "players.pii")
def reveal(public_id: str) -> Response:
    """The same page with the personal data in full, once; the look is written down."""
    with reading() as work:
        player = accounts.player_by_public_id(work, public_id)
        response = _detail(work, player, full=True)
        audit.record(work, "player.revealed", f"player:{player.public_id}")
    return response


def _detail(work: Work, player: Player, *, full: bool) -> Response:
    here = f"/players/{player.public_id}"
    wanted = request.args.get("show", "timeline")
    shown = wanted if wanted in _SHOWN else "timeline"
    surrounding = frame(work, "/players")
    money_model = _money(work, player, shown, here) if may("ledger.read") else _NO_MONEY
    name = player.name if full or may("players.pii") else mask_name(player.name)
    return page(
        "player.html", surrounding, shown=shown, shown_label=_SHOWN[shown], may_see_money=may("ledger.read"),
        player={"id": player.public_id, "name": name, "state": _STATES[player.status], "currency": player.currency},
        flash=Notice("wait", "Shown in full once. This look is in the audit log.") if full else None,
        warnings=_warnings(work, player, surrounding.zone), masked=not full, reveal=may("players.pii") and not full,
        profile=_profile(player, surrounding.zone, full=full), limits=_limits(work, player, surrounding.zone),
        consents=[Fact(document.capitalize(), version)
                  for document, version in accounts.consents_of(work, player.id).items()],
        tabs=[Tab(address(here, show=code), label, code == shown) for code, label in _SHOWN.items()], **money_model,
    )  # fmt: skip


_NO_MONEY: dict[str, Any] = {
    "balances": (), "timeline": (), "rounds": (), "lines": (), "newest": "", "older": "",
}  # fmt: skip


def _money(work: Work, player: Player, shown: str, here: str) -> dict[str, Any]:
    pockets = wallet.find_pockets(work, player.owner, player.currency)
    if pockets is None:
        return _NO_MONEY
    model = dict(_NO_MONEY)
    held = sum(
        (hold.held for hold in wallet.holds(work, pockets, open_only=True, limit=200)), Money(0, player.currency)
    )
    model["balances"] = (*story.balance_lines(wallet.balances(work, pockets)), story.Named("In open rounds", held))
    names = story.titles(work.here)
    if shown == "rounds":
        found = wallet.holds(work, pockets, before=before(), limit=PAGE_SIZE + 1)
        model["rounds"] = [_round(hold, names) for hold in found[:PAGE_SIZE]]
        last = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    else:
        lines = wallet.statement(work, pockets, before=before(), limit=PAGE_SIZE)
        model["lines" if shown == "statement" else "timeline"] = (
            story.statement(lines, names) if shown == "statement" else story.timeline(lines, names, _hrefs(lines))
        )
        full_page = len({line.journal_id for line in lines}) == PAGE_SIZE
        last = lines[-1].journal_id if full_page else None
    model["newest"] = address(here, show=shown) if before() else ""
    model["older"] = address(here, show=shown, before=last) if last is not None else ""
    return model


def _round(hold: wallet.Hold, names: Mapping[str, str]) -> Round:
    net = hold.won - hold.staked + hold.restored
    state = Badge("wait", "Open") if hold.closed_at is None else Badge("quiet", "Settled")
    game = story.game_name(hold.label, names) or "Game"
    return Round(hold.opened_at, game, hold.ref, hold.staked - hold.restored, hold.won, net, state)


def _hrefs(lines: list[wallet.StatementLine]) -> dict[str, str]:
    """From a withdrawal's movements to the withdrawal."""
    if not may("withdrawals.read"):
        return {}
    found = {}
    for line in lines:
        if line.kind in ("reserve", "pay_out", "release") and ":" in line.ref:
            found[line.ref] = f"/withdrawals/{line.ref.split(':')[1]}"
    return found


def _warnings(work: Work, player: Player, zone: str) -> list[str]:
    if not may("limits.read"):
        return []
    running = compliance.exclusion(work, player)
    if running is None:
        return []
    until = f"until {when(running.ends_at, zone)}" if running.ends_at else "without an end"
    kind = _KINDS.get(running.kind, running.kind)
    return [f"Excluded from play {until} ({kind}). Withdrawals stay possible."]


def _limits(work: Work, player: Player, zone: str) -> list[Fact] | None:
    """The limits as they apply, None for a role that may not see them."""
    if not may("limits.read"):
        return None
    facts = []
    for limit in compliance.limits(work, player).deposit:
        told = money(limit.money) if limit.money is not None else ""
        if limit.pending is not None:
            then = money(limit.pending.money) if limit.pending.money is not None else "none"
            told = f"{told or 'none'}; {then} from {when(limit.pending.effective_at, zone)}"
        if told:
            facts.append(Fact(f"Deposit, {limit.period}", told))
    return facts


def _profile(player: Player, zone: str, *, full: bool) -> list[Fact]:
    born = f"{player.birth_date:%-d %b %Y} ({_age(player.birth_date)})" if full else f"{_age(player.birth_date)} years"
    verified = f"verified on {when(player.verified_at, zone)}" if player.verified_at else "not verified"
    return [
        Fact("E-mail", player.email if full else mask_email(player.email)),
        Fact("Born" if full else "Age", born),
        Fact("Country", player.country),
        Fact("Language", player.language),
        Fact("Brand", f"{_brand(player)}, {player.jurisdiction}"),
        Fact("Registered", when(player.created_at, zone)),
        Fact("Identity", verified),
    ]


def _age(born: date) -> int:
    today = clock.now().date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
