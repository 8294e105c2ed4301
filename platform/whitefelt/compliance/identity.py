"""Proving an identity at a vendor: open an order, let the player go there, collect, compare, write down.

No transaction is held while a vendor is called. Whatever is repeated is harmless: a case ends once, under its row's
lock.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from whitefelt import audit
from whitefelt.accounts import Person, Player, lock_player, set_verified
from whitefelt.accounts import player as read_player
from whitefelt.compliance import errors, rules
from whitefelt.compliance.models import IdentityCaseRow
from whitefelt.compliance.ports import Collected, IdentityVendor, OrderRequest, ProofInvalid, ProvenPerson
from whitefelt.compliance.standing import apply_standing, rules_for
from whitefelt.facts.compliance import IdentityFailed, IdentityVerified
from whitefelt.kernel import ids, outbox, registry
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.db import Work, money_work, unit_of_work
from whitefelt.kernel.errors import Code, Problem
from whitefelt.kernel.http import VendorError
from whitefelt.tenancy import Integration, integrations_of

log = logging.getLogger("whitefelt.identity")

#: How a case may end with a refusal, and the code that tells it, also when it is asked again later.
REFUSALS: dict[str, Code] = {
    code.name: code for code in (errors.IDENTITY_MISMATCH, errors.UNDER_AGE, errors.IDENTITY_TAKEN)
}


@dataclass(frozen=True, slots=True)
class IdentityOrder:
    """An open identity check: where the player goes, and the id that comes back as `?order=`."""

    order_id: str
    redirect_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IdentityState:
    """Where a player stands: `verified_at`, whether proof is needed before depositing, and the newest case."""

    verified_at: datetime | None
    required: bool
    order_id: str | None
    status: str | None
    refusal: str | None


def begin_identity(tenant: TenantRef, player: Player, return_url: str) -> IdentityOrder:
    """Open a check at the operator's identity vendor; opens its own units of work.

    Errors: `identity_known` when proven already, `account_blocked`, `identity_unavailable` (retryable) when there is no
    vendor or it is out of reach.
    """
    integration, vendor = _vendor(tenant)
    reference, actor = str(ids.uuid7()), Actor("player", player.public_id, player.first_name)
    with unit_of_work(tenant, actor) as work:
        _may_begin(read_player(work, player.id))
        case = IdentityCaseRow(
            player_id=player.id, integration_id=integration.id, vendor=integration.vendor, reference=reference,
            status="opening", opened_at=work.now(),
        )  # fmt: skip
        work.session.add(case)
        work.session.flush()
        case_id = case.id
    request = OrderRequest(reference, return_url, player.country)
    try:
        order = vendor.begin(integration.config, integration.secrets, request)
    except VendorError as error:
        log.warning("identity vendor %s: %s", integration.vendor, type(error).__name__)
        with unit_of_work(tenant, actor) as work:
            _update(work, case_id, status="failed", closed_at=work.now())
        raise Problem(errors.IDENTITY_UNAVAILABLE) from error
    with unit_of_work(tenant, actor) as work:
        _update(work, case_id, status="pending", order_id=order.order_id, expires_at=order.expires_at)
    return IdentityOrder(order.order_id, order.redirect_url, order.expires_at)


def complete_identity(tenant: TenantRef, player: Player, order_id: str) -> str:
    """Collect the player's order and act on it: `verified`, `pending`, `cancelled` or `expired`; opens its own units.

    Errors: `identity_order_unknown`; `identity_mismatch`, `under_age`, `identity_taken` (the case is then refused);
    `identity_unavailable` (retryable, nothing changed) when the vendor is out of reach or its proof does not hold.
    """
    actor = Actor("player", player.public_id, player.first_name)
    with unit_of_work(tenant, actor) as work:
        case = _case(work, player.id, order_id)
    if case.status != "pending":
        return _told(case.status, case.refusal)
    integration, vendor = _vendor(tenant, case.integration_id)
    try:
        collected = vendor.collect(integration.config, integration.secrets, order_id)
        _fits(collected, case.reference, order_id)
    except (VendorError, ProofInvalid) as error:
        log.warning("identity vendor %s: %s: %s", integration.vendor, type(error).__name__, error)
        raise Problem(errors.IDENTITY_UNAVAILABLE) from error
    if collected.status == "pending":
        return "pending"
    with money_work(tenant, actor) as work:
        status, refusal = _close(work, player.id, order_id, collected)
    return _told(status, refusal)


def identity_state(work: Work, player: Player) -> IdentityState:
    """Where the player's identity stands."""
    fresh = read_player(work, player.id)
    row = work.session.scalar(
        select(IdentityCaseRow)
        .where(IdentityCaseRow.player_id == player.id, IdentityCaseRow.order_id.is_not(None))
        .order_by(IdentityCaseRow.id.desc())
        .limit(1)
    )
    required = fresh.verified_at is None and rules.identity_due(rules_for(work, fresh), fresh.currency)
    if row is None:
        return IdentityState(fresh.verified_at, required, None, None, None)
    return IdentityState(fresh.verified_at, required, row.order_id, row.status, row.refusal)


def _may_begin(player: Player) -> None:
    if player.status != "active":
        raise Problem(errors.ACCOUNT_BLOCKED)
    if player.verified_at is not None:
        raise Problem(errors.IDENTITY_KNOWN)


def _vendor(tenant: TenantRef, integration_id: int | None = None) -> tuple[Integration, IdentityVendor]:
    for integration in integrations_of(tenant, "kyc"):
        if integration_id in (None, integration.id):
            found: IdentityVendor | None = registry.connectors("kyc").get(integration.vendor)
            if found is not None:
                return integration, found
    raise Problem(errors.IDENTITY_UNAVAILABLE)


def _case(work: Work, player_id: int, order_id: str, *, lock: bool = False) -> IdentityCaseRow:
    if not (order_id.isascii() and order_id.isprintable()):
        raise Problem(errors.IDENTITY_ORDER_UNKNOWN)
    query = select(IdentityCaseRow).where(IdentityCaseRow.player_id == player_id, IdentityCaseRow.order_id == order_id)
    row = work.session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise Problem(errors.IDENTITY_ORDER_UNKNOWN)
    return row


def _fits(collected: Collected, reference: str, order_id: str) -> None:
    if collected.order_id != order_id or collected.reference != reference:
        raise ProofInvalid("the answer is about another order")
    if (collected.status == "complete") != (collected.person is not None):
        raise ProofInvalid("a person without completion, or completion without a person")


def _close(work: Work, player_id: int, order_id: str, collected: Collected) -> tuple[str, str | None]:
    """Bring the case to its end, once; what another request has ended meanwhile stays as it is."""
    player = lock_player(work, player_id)
    case = _case(work, player_id, order_id, lock=True)
    if case.status != "pending":
        return case.status, case.refusal
    status, refusal = collected.status, None
    if collected.person is not None:
        refusal = _refusal(work, player, collected.person)
        status = "refused" if refusal else "verified"
    _update(work, case.id, status=status, refusal=refusal, closed_at=work.now())
    if status == "verified":
        outbox.record(work, IdentityVerified(player.id, player.public_id, case.integration_id, order_id))
    elif status == "refused":
        outbox.record(work, IdentityFailed(player.id, player.public_id, case.integration_id, order_id))
    if status in ("verified", "refused"):
        # Which fields changed, not their values: the trail needs no copy of someone's name.
        person = collected.person
        renamed = person is not None and (person.first_name, person.last_name) != (player.first_name, player.last_name)
        audit.record(
            work, f"identity.{status}", f"player:{player.public_id}", reason=refusal or "",
            after={"vendor": case.vendor, "order_id": order_id, "name_changed": renamed and status == "verified"},
        )  # fmt: skip
    return status, refusal


def _refusal(work: Work, player: Player, person: ProvenPerson) -> str | None:
    """Write the proven identity down, or say why it is refused."""
    if player.verified_at is not None:
        return None  # by an earlier order
    if person.birth_date != player.birth_date or person.country.upper() != player.country:
        return errors.IDENTITY_MISMATCH.name
    ruleset = rules_for(work, player)
    if not rules.is_of_age(ruleset, person.birth_date):
        return errors.UNDER_AGE.name
    known = Person(person.first_name, person.last_name, person.birth_date, person.country)
    try:
        verified = set_verified(work, player.id, known, person.national_id)
    except Problem as problem:
        if problem.code is not errors.IDENTITY_TAKEN:
            raise
        return errors.IDENTITY_TAKEN.name
    apply_standing(work, verified)
    return None


def _told(status: str, refusal: str | None) -> str:
    if status == "refused":
        raise Problem(REFUSALS[refusal or errors.IDENTITY_MISMATCH.name])
    return status


def _update(work: Work, case_id: int, **values: Any) -> None:
    work.session.execute(update(IdentityCaseRow).where(IdentityCaseRow.id == case_id).values(**values))
