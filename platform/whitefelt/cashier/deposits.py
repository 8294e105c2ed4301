"""Deposits: the gate, the player's allowance, then the provider, with no transaction open while it is asked."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from whitefelt import accounts, compliance
from whitefelt.accounts import Player
from whitefelt.cashier import allowance, asking, methods, queries, rules
from whitefelt.cashier.applying import apply_payment, end_without_money, locked, pockets_of
from whitefelt.cashier.errors import IDEMPOTENCY_CONFLICT
from whitefelt.cashier.methods import OfferedMethod
from whitefelt.cashier.models import DepositRow
from whitefelt.cashier.ports import Order
from whitefelt.cashier.queries import Deposit
from whitefelt.kernel import ids
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.db import Work, money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.http import VendorError, VendorRefused, VendorUnavailable
from whitefelt.kernel.money import Money, decimal, to_minor

log = logging.getLogger("whitefelt.cashier")

#: How long a repeated request waits for the first one's answer from the provider.
TWIN_TRIES, TWIN_PAUSE_SECONDS = 30, 0.1


@dataclass(frozen=True, slots=True)
class _Request:
    """What a player asks for, checked as far as the database is not needed."""

    offered: OfferedMethod
    money: Money
    key: str | None
    digest: bytes


def start(
    tenant: TenantRef, player: Player, method: str, money: Money, return_url: str, *, idempotency_key: str | None = None
) -> Deposit:
    """Begin a deposit; the player goes on at its `redirect_url`. `{id}` in `return_url` becomes the deposit's id.

    `failed` with a reason when the provider refused or was out of reach: nothing was charged, the allowance is given
    back. `created` without a redirect when its answer is unknown: the schedule asks. The same `idempotency_key` gives
    the same deposit, another request under it `idempotency_conflict`.
    Errors: payment_method_unknown, amount_too_fine, amount_below_minimum, amount_above_maximum, limit_reached, and
    those of compliance's gate. A refusal leaves nothing behind.
    """
    assert money.currency == player.currency, "a player deposits in the account's currency"
    asked = _checked(tenant, method, money, return_url, idempotency_key)
    with money_work(tenant, Actor("player", player.public_id)) as work:
        deposit, fresh = _open(work, player, asked)
    if not fresh:
        return _settled_twin(tenant, deposit)
    _ask(tenant, player, deposit, asked, return_url.replace("{id}", deposit.public_id))
    with unit_of_work(tenant) as work:
        return queries.deposit(work, deposit.public_id)


def _checked(tenant: TenantRef, method: str, money: Money, return_url: str, key: str | None) -> _Request:
    offered = methods.offered_method(tenant, method, money.currency)
    to_minor(money)  # refuses what could not be paid
    rules.check_amount(money, offered.limits)
    digest = rules.request_hash("deposit", method, decimal(money), money.currency, return_url)
    return _Request(offered, money, rules.checked_key(key), digest)


def _open(work: Work, player: Player, asked: _Request) -> tuple[Deposit, bool]:
    """The new row with its claim, or the row of an earlier request with the same key (False)."""
    # Limits and exclusions change under the same lock, so that what the gate reads here holds until the claim.
    accounts.lock_player(work, player.id)
    twin = _twin(work, player, asked)
    if twin is not None:
        return twin, False
    compliance.deposit_gate(work, player)
    now = work.now()
    values = {
        "public_id": ids.uuid7(), "player_id": player.id, "integration_id": asked.offered.integration.id,
        "method": asked.offered.method.code, "amount_units": asked.money.units, "currency": asked.money.currency,
        "status": "created", "claims": [], "idempotency_key": asked.key, "body_hash": asked.digest, "checks": 0,
        "next_check_at": rules.next_check(now, 0), "created_at": now, "updated_at": now,
    }  # fmt: skip
    # Waits for a request with the same key that is not committed yet: one of the two makes the row.
    made = work.session.scalar(insert(DepositRow).values(**values).on_conflict_do_nothing().returning(DepositRow.id))
    if made is None:
        twin = _twin(work, player, asked)
        assert twin is not None, "the key was taken and nobody has it"
        return twin, False
    row = work.session.get_one(DepositRow, made)
    pockets = pockets_of(work, player.id, row.currency)
    allowance.claim(work, row, pockets, compliance.deposit_caps(work, player, row.money))
    return queries.deposit_of(row), True


def _twin(work: Work, player: Player, asked: _Request) -> Deposit | None:
    if asked.key is None:
        return None
    row = work.session.scalar(
        select(DepositRow).where(DepositRow.player_id == player.id, DepositRow.idempotency_key == asked.key)
    )
    if row is None:
        return None
    if row.body_hash != asked.digest:
        raise Problem(IDEMPOTENCY_CONFLICT)
    return queries.deposit_of(row)


def _settled_twin(tenant: TenantRef, deposit: Deposit) -> Deposit:
    """The same answer as the first request gets: briefly wait while that one is still asking the provider."""
    for _ in range(TWIN_TRIES):
        with unit_of_work(tenant) as work:
            deposit = queries.deposit(work, deposit.public_id)
            age = (work.now() - deposit.created_at).total_seconds()
        if deposit.status != "created" or age > TWIN_TRIES * TWIN_PAUSE_SECONDS:
            break
        time.sleep(TWIN_PAUSE_SECONDS)
    return deposit


def _ask(tenant: TenantRef, player: Player, deposit: Deposit, asked: _Request, return_url: str) -> None:
    integration = asked.offered.integration
    order = Order(
        reference=deposit.public_id, money=asked.money, method=asked.offered.method.code,
        description=f"Deposit {asked.money}", customer_id=player.public_id, customer_email=player.email,
        return_url=return_url, webhook_url=methods.webhook_url(integration),
    )  # fmt: skip
    try:
        told = methods.vendor_of(integration).start(methods.account_of(integration), order)
    except (VendorRefused, VendorUnavailable) as error:
        log.warning("deposit %s was not started: %s", deposit.public_id, error)
        reason = "vendor_refused" if isinstance(error, VendorRefused) else "vendor_unavailable"
        with money_work(tenant) as work:
            row = locked(work, DepositRow, deposit.public_id)
            if row is not None and row.status in rules.DEPOSIT_OPEN:
                end_without_money(work, row, "failed", reason)
    except VendorError as error:  # unknown: it stays created, and we ask by reference
        log.warning("deposit %s: the provider's answer is unknown: %s", deposit.public_id, error)
    else:
        with money_work(tenant) as work:
            apply_payment(work, integration.id, told)


def get(work: Work, public_id: str, player_id: int | None = None) -> Deposit:
    """The deposit of that id, of that player if one is named; `deposit_unknown`."""
    return queries.deposit(work, public_id, player_id)


def refresh(tenant: TenantRef, player: Player, public_id: str) -> Deposit:
    """The deposit as it is now, for the page a browser returns to: an open one is asked about at the provider."""
    with unit_of_work(tenant) as work:
        found = queries.deposit(work, public_id, player.id)
    if found.status not in rules.DEPOSIT_OPEN:
        return found
    asking.ask_payment(tenant, found.integration_id, found.public_id)
    with unit_of_work(tenant) as work:
        return queries.deposit(work, public_id, player.id)
