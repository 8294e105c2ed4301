"""The audit log: whole when nobody meddles, and every kind of meddling has its own sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from whitefelt import audit
from whitefelt.audit import rules
from whitefelt.kernel import clock, db, settings
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.tenancy import provision

STAFF = Actor("staff", "7", "Nora Lind")


@pytest.fixture
def chain(platform: object) -> TenantRef:
    """A tenant of its own, because its log will be damaged; five entries."""
    from whitefelt.kernel import ids

    tenant = provision(f"audit-{ids.base32(6)}", "Audited", "UTC")
    for number in range(1, 6):
        with db.unit_of_work(tenant, STAFF) as work:
            audit.record(
                work, "thing.changed", f"thing:{number}", reason="because", before={"amount": "1.00"},
                after={"amount": f"{number}.00", "at": clock.now(), "tags": ["å", "b"]},
            )  # fmt: skip
    return tenant


def faults(tenant: TenantRef) -> list[str]:
    with db.unit_of_work(tenant) as work:
        return audit.verify(work)


@contextmanager
def owner(tenant: TenantRef) -> Iterator[psycopg.Connection]:
    """The owner of the tables, who may take the triggers away: what `verify` is for."""
    with psycopg.connect(settings.current().databases[tenant.alias]) as connection:
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(tenant.schema)))
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        connection.execute("ALTER TABLE audit_head DISABLE TRIGGER USER")
        yield connection
        connection.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")
        connection.execute("ALTER TABLE audit_head ENABLE TRIGGER USER")


def test_a_log_that_nobody_touched_is_whole_and_tells_what_happened(chain: TenantRef) -> None:
    assert faults(chain) == []
    with db.unit_of_work(chain) as work:
        newest, *_ = found = audit.entries(work, limit=10)
        assert [entry.seq for entry in found] == [5, 4, 3, 2, 1]
        assert (newest.actor_name, newest.action, newest.subject, newest.reason) == (
            "Nora Lind", "thing.changed", "thing:5", "because",
        )  # fmt: skip
        assert newest.after is not None and newest.after["amount"] == "5.00"
        assert [entry.seq for entry in audit.entries(work, before=4, limit=2)] == [3, 2]
        assert [entry.seq for entry in audit.entries(work, subject="thing:2", limit=9)] == [2]
        assert len(audit.entries(work, action="thing", limit=9)) == 5
        assert audit.entries(work, action="other", limit=9) == []


def test_an_entry_is_part_of_the_change_and_goes_with_it(chain: TenantRef) -> None:
    with pytest.raises(RuntimeError), db.unit_of_work(chain, STAFF) as work:
        audit.record(work, "thing.changed", "thing:6")
        raise RuntimeError
    with db.unit_of_work(chain) as work:
        assert len(audit.entries(work, limit=10)) == 5
    assert faults(chain) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET reason = 'x' WHERE seq = 2",
        "DELETE FROM audit_log WHERE seq = 2",
        "TRUNCATE audit_log",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET seq = seq - 1",
        "UPDATE audit_head SET seq = seq + 2",
    ],
)
def test_nobody_rewrites_the_log_neither_the_application_nor_the_owner(chain: TenantRef, statement: str) -> None:
    refused = pytest.raises(Exception, match=r"permission denied|append-only|forward by one")
    with refused, db.unit_of_work(chain, STAFF) as work:
        work.session.connection().exec_driver_sql(statement)
    with psycopg.connect(settings.current().databases[chain.alias]) as connection:
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(chain.schema)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
    assert faults(chain) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            'UPDATE audit_log SET after = \'{"amount": "9.00"}\' WHERE seq = 3',
            "Entry 3 is not what was written",
        ),
        (
            "UPDATE audit_log SET at = at + interval '1 microsecond' WHERE seq = 1",
            "Entry 1 is not what was written",
        ),
        ("UPDATE audit_log SET actor_id = '8' WHERE seq = 5", "Entry 5 is not what was written"),
        ("DELETE FROM audit_log WHERE seq = 3", "Entry 3 is missing"),
        ("DELETE FROM audit_log WHERE seq <= 2", "Entries 1 to 2 are missing"),
        ("DELETE FROM audit_log WHERE seq >= 4", "The end is cut: Entries 4 to 5 are missing"),
        ("DELETE FROM audit_log", "The end is cut"),
        ("DELETE FROM audit_head", "The head of the chain is missing"),
        (
            "INSERT INTO audit_log SELECT 6, at, actor_kind, actor_id, actor_name, action, subject, reason, before,"
            " after, trace, hash_prev, hash FROM audit_log WHERE seq = 5",
            "1 entries lie beyond",
        ),
    ],
)
def test_verify_finds_what_the_owner_did(chain: TenantRef, statement: str, said: str) -> None:
    with owner(chain) as connection:
        connection.execute(statement)
    assert any(said in fault for fault in faults(chain)), faults(chain)


def test_verify_finds_entries_that_changed_places(chain: TenantRef) -> None:
    with owner(chain) as connection:
        connection.execute("UPDATE audit_log SET seq = 99 WHERE seq = 2")
        connection.execute("UPDATE audit_log SET seq = 2 WHERE seq = 3")
        connection.execute("UPDATE audit_log SET seq = 3 WHERE seq = 99")
    found = faults(chain)
    assert any("Entry 2" in fault for fault in found) and any("Entry 3" in fault for fault in found)


def test_verify_finds_a_tail_that_was_rewritten_with_fitting_hashes(chain: TenantRef) -> None:
    """The owner recomputes the last entry's hash: only the head still knows the old one."""
    with db.unit_of_work(chain) as work:
        last = audit.entry(work, 5)
        previous = audit.entry(work, 4)
    assert last is not None and previous is not None
    columns = ("seq", "at", "actor_kind", "actor_id", "actor_name", "action", "subject", "before", "after", "trace")
    said = {name: getattr(last, name) for name in columns}
    forged = rules.chain(bytes.fromhex(previous.hash), chain.slug, {**said, "reason": "another reason"})
    with owner(chain) as connection:
        connection.execute("UPDATE audit_log SET reason = 'another reason', hash = %s WHERE seq = 5", (forged,))
    assert faults(chain) == ["The head does not name entry 5 as it stands: one of the two was replaced."]


def test_writers_at_the_same_time_make_one_chain(chain: TenantRef) -> None:
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(5):
                with db.unit_of_work(chain, STAFF) as work:
                    audit.record(work, "thing.changed", f"thing:{number}")
        except BaseException as error:
            failed.append(error)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    with db.unit_of_work(chain) as work:
        assert [entry.seq for entry in audit.entries(work, limit=50)] == list(range(25, 0, -1))
    assert faults(chain) == []


def test_a_chain_belongs_to_its_tenant(chain: TenantRef) -> None:
    """The tenant's name is inside every hash: an entry moved to another operator's log does not verify."""
    entry = {"seq": 1, "at": clock.now(), "action": "a.b"}
    assert rules.chain(rules.GENESIS, "alpha", entry) != rules.chain(rules.GENESIS, "bravo", entry)
    with db.unit_of_work(TenantRef(chain.id, "someone-else", chain.schema, chain.alias)) as work:
        assert len(audit.verify(work)) >= 5


def test_fractions_are_refused_and_odd_text_survives(chain: TenantRef) -> None:
    with pytest.raises(AssertionError), db.unit_of_work(chain, STAFF) as work:
        audit.record(work, "thing.changed", "thing:1", after={"amount": 1.5})
    with db.unit_of_work(chain, STAFF) as work:
        audit.record(work, "thing.changed", "thing:\x00\ud800", reason="né\x00", after={"n": 10**18, "\x00": None})
    assert faults(chain) == []
