"""Reads for pages, API and reports: deposits, withdrawals, the staff's queue, messages that a person must look at."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from whitefelt import accounts
from whitefelt.accounts import Player
from whitefelt.cashier.errors import DEPOSIT_UNKNOWN, WITHDRAWAL_UNKNOWN
from whitefelt.cashier.models import DepositRow, NotificationRow, WithdrawalRow
from whitefelt.cashier.rules import REASONS, WITHDRAWAL_STATUSES
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit. `redirect_url`: where the player pays; None while the provider has not answered. `reason`: a code."""

    id: int
    public_id: str
    player_id: int
    integration_id: int
    method: str
    status: str
    money: Money
    redirect_url: str | None
    vendor_id: str | None
    authorisation: str | None
    reason: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal. `reasons`: codes why it waited (`reason_texts` for people); `note`: what the decider wrote."""

    id: int
    public_id: str
    player_id: int
    integration_id: int
    method: str
    status: str
    money: Money
    reasons: tuple[str, ...]
    vendor_id: str | None
    failure_reason: str | None
    note: str
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime
    closed_at: datetime | None

    @property
    def reason_texts(self) -> tuple[str, ...]:
        """The reasons as sentences."""
        return tuple(REASONS.get(code, code) for code in self.reasons)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A line of the staff's queue: who, how much, how long, why."""

    withdrawal: Withdrawal
    player: Player
    waiting_seconds: int


@dataclass(frozen=True, slots=True)
class FlaggedNotification:
    """A message of a provider that a person must look at; `result` says why."""

    id: int
    integration_id: int
    event_id: str
    type: str
    reference: str
    result: str
    received_at: datetime


def deposit_of(row: DepositRow) -> Deposit:
    """The plain data of a row."""
    return Deposit(
        row.id, row.reference, row.player_id, row.integration_id, row.method, row.status, row.money, row.redirect_url,
        row.vendor_id, row.authorisation, row.reason, row.created_at, row.settled_at,
    )  # fmt: skip


def withdrawal_of(row: WithdrawalRow) -> Withdrawal:
    """The plain data of a row."""
    return Withdrawal(
        row.id, row.reference, row.player_id, row.integration_id, row.method, row.status, row.money, tuple(row.reasons),
        row.vendor_id, row.failure_reason, row.decision_note, row.decided_by_name, row.decided_at, row.created_at,
        row.closed_at,
    )  # fmt: skip


def as_uuid(text: str) -> uuid.UUID | None:
    """A reference of ours in its one canonical form; None for any other text."""
    try:
        found = uuid.UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def deposit(work: Work, public_id: str, player_id: int | None = None) -> Deposit:
    """The deposit of that id, of that player if one is named; `deposit_unknown`."""
    row = work.session.scalar(select(DepositRow).where(DepositRow.public_id == as_uuid(public_id)))
    if row is None or (player_id is not None and row.player_id != player_id):
        raise Problem(DEPOSIT_UNKNOWN)
    return deposit_of(row)


def deposits_of(work: Work, player_id: int, *, before: int | None = None, limit: int = 50) -> list[Deposit]:
    """A player's deposits, newest first, older than id `before`."""
    query = select(DepositRow).where(DepositRow.player_id == player_id).order_by(DepositRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(DepositRow.id < before)
    return [deposit_of(row) for row in work.session.scalars(query)]


def withdrawal(work: Work, public_id: str, player_id: int | None = None) -> Withdrawal:
    """The withdrawal of that id, of that player if one is named; `withdrawal_unknown`."""
    row = work.session.scalar(select(WithdrawalRow).where(WithdrawalRow.public_id == as_uuid(public_id)))
    if row is None or (player_id is not None and row.player_id != player_id):
        raise Problem(WITHDRAWAL_UNKNOWN)
    return withdrawal_of(row)


def withdrawals_of(work: Work, player_id: int, *, before: int | None = None, limit: int = 50) -> list[Withdrawal]:
    """A player's withdrawals, newest first, older than id `before`."""
    query = (
        select(WithdrawalRow).where(WithdrawalRow.player_id == player_id).order_by(WithdrawalRow.id.desc()).limit(limit)
    )
    if before is not None:
        query = query.where(WithdrawalRow.id < before)
    return [withdrawal_of(row) for row in work.session.scalars(query)]


def queue(work: Work, status: str | None = "waiting", *, before: int | None = None, limit: int = 50) -> list[QueueRow]:
    """Withdrawals of one status (None: of all), newest first, older than id `before`, with the player and how long each
    waited (or waits) for a decision."""
    query = select(WithdrawalRow).order_by(WithdrawalRow.id.desc()).limit(limit)
    if status is not None:
        query = query.where(WithdrawalRow.status == status)
    if before is not None:
        query = query.where(WithdrawalRow.id < before)
    rows = list(work.session.scalars(query))
    players = {player_id: accounts.player(work, player_id) for player_id in {row.player_id for row in rows}}
    return [_queue_row(work, row, players[row.player_id]) for row in rows]


def queued(work: Work, public_id: str) -> QueueRow:
    """One line of the queue; `withdrawal_unknown`."""
    row = work.session.scalar(select(WithdrawalRow).where(WithdrawalRow.public_id == as_uuid(public_id)))
    if row is None:
        raise Problem(WITHDRAWAL_UNKNOWN)
    return _queue_row(work, row, accounts.player(work, row.player_id))


def _queue_row(work: Work, row: WithdrawalRow, player: Player) -> QueueRow:
    waited = (row.decided_at or work.now()) - row.created_at
    return QueueRow(withdrawal_of(row), player, int(waited.total_seconds()))


def counts(work: Work) -> Mapping[str, int]:
    """How many withdrawals there are of each status."""
    rows = work.session.execute(select(WithdrawalRow.status, func.count()).group_by(WithdrawalRow.status)).all()
    found = dict(rows)
    return {status: found.get(status, 0) for status in WITHDRAWAL_STATUSES}


def flagged(work: Work, *, before: int | None = None, limit: int = 50) -> list[FlaggedNotification]:
    """Messages that a person must look at, newest first, older than id `before`."""
    query = select(NotificationRow).where(NotificationRow.flagged).order_by(NotificationRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(NotificationRow.id < before)
    return [
        FlaggedNotification(
            row.id, row.integration_id, row.event_id, row.type, row.reference, row.result, row.received_at
        )
        for row in work.session.scalars(query)
    ]


def has_settled_deposit(work: Work, player_id: int) -> bool:
    """Whether this player has ever brought money in."""
    query = select(DepositRow.id).where(DepositRow.player_id == player_id, DepositRow.status == "settled").limit(1)
    return work.session.scalar(query) is not None


def used_methods(work: Work, player_id: int, currency: str) -> tuple[str, ...]:
    """Codes of the methods that money can be paid out to: those that a settled deposit of this player came by."""
    query = (
        select(DepositRow.method)
        .where(
            DepositRow.player_id == player_id, DepositRow.status == "settled", DepositRow.currency == currency,
            DepositRow.instrument.is_not(None),
        )
        .distinct()
    )  # fmt: skip
    return tuple(sorted(work.session.scalars(query)))
