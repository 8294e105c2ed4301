"""Facts that a player hears of by mail. Outside of transactions, at least once; ids in, the person read fresh."""

from __future__ import annotations

from whitefelt import accounts, tenancy
from whitefelt.accounts import Player
from whitefelt.crm import letters
from whitefelt.crm.sending import send
from whitefelt.facts.money import WithdrawalFailed, WithdrawalPaid, WithdrawalRejected
from whitefelt.facts.people import PlayerRegistered
from whitefelt.kernel import outbox
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.money import Money

CONSUMER = "crm.mails"


def _player(tenant: TenantRef, player_id: int) -> Player:
    with unit_of_work(tenant) as work:
        return accounts.player(work, player_id)


@outbox.subscribe(PlayerRegistered, CONSUMER, queue="mail", outside=True)
def welcome(tenant: TenantRef, fact: PlayerRegistered) -> None:
    """Welcome a new player."""
    brand = tenancy.brand_by_id(fact.brand_id)
    reference = f"registered.{fact.player_public_id}"
    send(tenant, _player(tenant, fact.player_id), letters.welcome(brand.name), reference=reference)


@outbox.subscribe(WithdrawalPaid, CONSUMER, queue="mail", outside=True)
def withdrawal_paid(tenant: TenantRef, fact: WithdrawalPaid) -> None:
    """Tell that a withdrawal was paid."""
    letter = letters.withdrawal_paid(Money(fact.amount_units, fact.currency))
    send(tenant, _player(tenant, fact.player_id), letter, reference=f"paid.{fact.withdrawal_public_id}")


@outbox.subscribe(WithdrawalRejected, CONSUMER, queue="mail", outside=True)
def withdrawal_rejected(tenant: TenantRef, fact: WithdrawalRejected) -> None:
    """Tell that a withdrawal was refused, and why."""
    letter = letters.withdrawal_rejected(Money(fact.amount_units, fact.currency), fact.reason)
    send(tenant, _player(tenant, fact.player_id), letter, reference=f"rejected.{fact.withdrawal_public_id}")


@outbox.subscribe(WithdrawalFailed, CONSUMER, queue="mail", outside=True)
def withdrawal_failed(tenant: TenantRef, fact: WithdrawalFailed) -> None:
    """Tell that the provider could not pay."""
    letter = letters.withdrawal_failed(Money(fact.amount_units, fact.currency))
    send(tenant, _player(tenant, fact.player_id), letter, reference=f"failed.{fact.withdrawal_public_id}")
