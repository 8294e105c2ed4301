"""`whitefelt ledger verify`, the whole of it: money, cashier, totals, facts and audit in one snapshot."""

from __future__ import annotations

import psycopg

from wagering.conftest import open_studio
from whitefelt.app import wire
from whitefelt.kernel import drain, relay_pass
from whitefelt.proof import prove
from whitefelt.reporting import CONSUMER


def test_a_tenant_with_play_behind_it_is_clean_and_a_fact_that_went_missing_is_named(alpha, platform):
    wire()
    studio = open_studio(alpha, "alpha.localhost")
    studio.bet("10.00")
    studio.win("18.00")
    relay_pass.relay_tenant(alpha)
    drain.fold(alpha, CONSUMER)
    clean = prove(alpha)
    assert clean.faults == []
    assert clean.rounds == 1 and clean.postings == 4  # funding, stake, win, escrow to the house
    assert [row["total"] for row in clean.figures] == [0]

    with psycopg.connect(platform.postgres.superuser_url, autocommit=True) as root:
        taken = root.execute(f"DELETE FROM {alpha.schema}.deliveries RETURNING id").rowcount
        assert taken > 0, "nothing was planted"
    assert {fault.code for fault in prove(alpha).faults} == {"fact_missing"}


def test_a_posting_that_the_cashier_does_not_know_is_named(alpha):
    from wallet.conftest import open_till

    before = {fault.code for fault in prove(alpha).faults}
    open_till(alpha).deposit(5)
    assert "deposit_without_row" in {fault.code for fault in prove(alpha).faults} - before
