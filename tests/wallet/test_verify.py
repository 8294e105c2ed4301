"""Planted faults are found and named; a ledger without faults is found clean (the twin of every test here).

The faults are planted as the database's superuser with triggers and constraints out of the way, as only an attacker with
the whole machine could.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from wallet.conftest import Till, open_till
from whitefelt import tenancy, wallet
from whitefelt.kernel import settings
from whitefelt.kernel.db import money_work, unit_of_work


@pytest.fixture
def busy(alpha) -> Till:
    """A till with every kind of movement behind it."""
    till = open_till(alpha)
    till.deposit(100)
    till.grant(20)
    till.bet(10, bet := till.ref(), round_ref="a")
    till.win(18, round_ref="a")
    till.bet(15, round_ref="b", order="proportional")
    till.bet(1, undone := till.ref(), round_ref="c")
    till.refund(undone)
    till.bet(100_000, round_ref="d")
    with money_work(alpha) as work:
        for number, end in enumerate(("open", "paid", "back")):
            ref = till.ref("withdrawal")
            wallet.reserve(work, source=0, ref=ref, pockets=till.pockets, money=till.money(5 + number))
            if end == "paid":
                wallet.pay_out(work, source=0, ref=ref + ":p", reserve_ref=ref, house=till.psp, pockets=till.pockets)
            if end == "back":
                wallet.release(work, source=0, ref=ref + ":r", reserve_ref=ref, pockets=till.pockets)
    assert bet
    return till


def faults(tenant) -> set[str]:
    with unit_of_work(tenant) as work:
        own = [one.id for one in tenancy.integrations_of(tenant)]
        return {fault.code for fault in wallet.verify(work, own)}


@pytest.fixture
def planted(busy: Till, servers) -> Iterator[Callable[[str], set[str]]]:
    """Run SQL as superuser, verify, and put everything back as it was."""
    schema = busy.tenant.schema
    keep = ("pockets", "journal", "holds", "house_folds")
    with psycopg.connect(servers.postgres.superuser_url.rsplit("/", 1)[0] + "/" +
                         settings.current().databases["default"].rsplit("/", 1)[1], autocommit=True) as root:  # fmt: skip
        root.execute(f"SET search_path = {schema}")
        for table in keep:
            root.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}")

        def plant(statement: str) -> set[str]:
            root.execute("ALTER TABLE journal DROP CONSTRAINT IF EXISTS uq_journal_source_ref_leg")
            root.execute("ALTER TABLE journal DROP CONSTRAINT IF EXISTS pk_journal")
            done = root.execute(
                statement.format(cash=busy.pockets.cash, bonus=busy.pockets.bonus, pending=busy.pockets.pending)
            )
            assert done.rowcount > 0, "nothing was planted"
            return faults(busy.tenant)

        yield plant
        for table in keep:
            root.execute(f"TRUNCATE {table}")
            root.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept_{table}")
        root.execute("ALTER TABLE journal ADD CONSTRAINT pk_journal PRIMARY KEY (id)")
        root.execute("ALTER TABLE journal ADD CONSTRAINT uq_journal_source_ref_leg UNIQUE (source, ref, leg)")
    assert faults(busy.tenant) == set()


def test_a_ledger_with_every_kind_of_movement_is_clean_and_adds_to_zero(busy: Till):
    assert faults(busy.tenant) == set()
    with unit_of_work(busy.tenant) as work:
        for row in wallet.figures(work):
            assert row["total"] == 0, row


@pytest.mark.parametrize(("what", "statement", "code"), [
    ("deleted row", "DELETE FROM journal WHERE id = (SELECT max(id) FROM journal WHERE home_pocket = {cash} AND kind = 'settle' AND leg = 0)", "entry_missing"),
    ("deleted escrow leg", "DELETE FROM journal WHERE home_pocket = {cash} AND kind = 'settle' AND leg = 1", "round_escrow_differs"),
    ("deleted row, last of all", "DELETE FROM journal WHERE id = (SELECT max(id) FROM journal WHERE home_pocket = {cash} AND amount_units > 0)", "entry_missing"),
    ("duplicate", "INSERT INTO journal OVERRIDING SYSTEM VALUE SELECT * FROM journal WHERE home_pocket = {cash} AND kind = 'deposit'", "chain_broken"),
    ("duplicate under a new id", "INSERT INTO journal (source, ref, leg, kind, status, home_pocket, debit_pocket, credit_pocket, amount_units, debit_after_units, credit_after_units, debit_seq, credit_seq) SELECT source, ref || 'x', leg, kind, status, home_pocket, debit_pocket, credit_pocket, amount_units, debit_after_units, credit_after_units, debit_seq, credit_seq FROM journal WHERE home_pocket = {cash} AND kind = 'deposit'", "entry_missing"),
    ("one unit more in a row", "UPDATE journal SET amount_units = amount_units + 1 WHERE home_pocket = {cash} AND kind = 'deposit'", "chain_broken"),
    ("one unit less in a row", "UPDATE journal SET amount_units = amount_units - 1 WHERE home_pocket = {cash} AND kind = 'settle' AND leg = 0", "balance_differs"),
    ("one unit more in a balance", "UPDATE pockets SET balance_units = balance_units + 1 WHERE id = {cash}", "balance_differs"),
    ("one unit less in a balance", "UPDATE pockets SET balance_units = balance_units - 1 WHERE id = {bonus}", "balance_differs"),
    ("balance after changed", "UPDATE journal SET credit_after_units = credit_after_units + 1 WHERE home_pocket = {cash} AND kind = 'deposit'", "chain_broken"),
    ("wrong pocket", "UPDATE journal SET credit_pocket = {bonus} WHERE home_pocket = {cash} AND kind = 'deposit'", "chain_broken"),
    ("pocket of nobody", "UPDATE journal SET credit_pocket = 999999999 WHERE home_pocket = {cash} AND kind = 'deposit'", "pocket_unknown"),
    ("wrong tenant", "UPDATE journal SET source = 999999 WHERE home_pocket = {cash} AND kind = 'deposit'", "wrong_tenant"),
    ("house fold", "INSERT INTO house_folds (pocket_id, through_id, balance_units) SELECT min(id), (SELECT max(id) FROM journal), 12345 FROM pockets WHERE is_house ON CONFLICT (pocket_id) DO UPDATE SET balance_units = 12345", "house_fold_differs"),
    ("pending without a reserve", "UPDATE journal SET kind = 'deposit' WHERE home_pocket = {cash} AND kind = 'reserve'", "pending_differs"),
    ("round that holds too much", "UPDATE holds SET held_units = held_units + 1 WHERE home_pocket = {cash} AND closed_at IS NULL AND held_units > 0", "round_escrow_differs"),
    ("finished round that holds", "UPDATE holds SET closed_at = now() WHERE home_pocket = {cash} AND held_units > 0", "round_escrow_differs"),
    ("round totals", "UPDATE holds SET won_units = won_units + 1 WHERE home_pocket = {cash}", "round_totals_differ"),
    ("wrong pocket of the house", "UPDATE journal j SET debit_pocket = (SELECT min(p.id) FROM pockets p WHERE p.is_house AND p.currency = 'EUR' AND p.id <> j.debit_pocket) WHERE home_pocket = {cash} AND kind = 'deposit'", "outcome_differs"),
    ("escrow handed to the wrong pocket", "UPDATE journal j SET credit_pocket = (SELECT min(p.id) FROM pockets p WHERE p.is_house AND p.currency = 'EUR' AND p.id NOT IN (j.debit_pocket, j.credit_pocket)) WHERE home_pocket = {cash} AND kind = 'settle' AND leg = 1", "outcome_differs"),
    ("filed under another pocket", "UPDATE journal SET home_pocket = {bonus} WHERE home_pocket = {cash} AND kind = 'deposit'", "home_differs"),
    ("escrow filed under someone else", "UPDATE journal SET home_pocket = {bonus} WHERE home_pocket = {cash} AND kind = 'settle' AND leg = 1", "round_unknown"),
    ("deleted round", "DELETE FROM holds WHERE home_pocket = {cash} AND held_units > 0", "round_unknown"),
    ("round that gave more back", "UPDATE holds SET restored_units = restored_units + 1 WHERE home_pocket = {cash}", "round_totals_differ"),
    ("rewritten answer", "UPDATE journal SET outcome = jsonb_set(outcome, '{{split,0,units}}', '1') WHERE home_pocket = {cash} AND kind = 'deposit'", "outcome_differs"),
])  # fmt: skip
def test_planted_faults_are_found(planted, what: str, statement: str, code: str):
    assert code in planted(statement), what


def test_house_folds_agree_with_the_journal_and_are_incremental(busy: Till):
    with money_work(busy.tenant) as work:
        last = wallet.journal_rows(work, 0, 10**6)[-1]["id"]
        assert wallet.fold_house(work, last) > 0
    busy.deposit(1)
    with money_work(busy.tenant) as work:
        assert wallet.fold_house(work, last) == 0, "the same range is not folded twice"
        assert wallet.fold_house(work, wallet.journal_rows(work, last, 10)[-1]["id"]) > 0
    assert faults(busy.tenant) == set()
