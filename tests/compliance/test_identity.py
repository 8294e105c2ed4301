"""Proving an identity at the sandbox's electronic id, a process of its own, and what of its word is believed."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select, update

import people
from compliance_tests import may_stake
from sandbox.vendors import Vendor
from whitefelt import accounts, audit, compliance, tenancy
from whitefelt.accounts.models import PlayerRow
from whitefelt.compliance.models import IdentityCaseRow
from whitefelt.facts.compliance import IdentityVerified
from whitefelt.kernel import clock
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import parse
from whitefelt.kernel.outbox_models import OutboxRow

RETURN = "http://eid-bravo.localhost/account/identity"
BORN = date(1990, 5, 17)
_serials = itertools.count(1)


@pytest.fixture(scope="module")
def eid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    vendor = Vendor("eid", tmp_path_factory.mktemp("eid"), {"relying_parties": []})
    yield vendor
    vendor.end()


@pytest.fixture(scope="module")
def nordic(platform: Any, eid: Vendor, tmp_path_factory: pytest.TempPathFactory) -> TenantRef:
    """An operator of these tests' own, in Sweden, whose identity vendor is that process."""
    folder = tmp_path_factory.mktemp("tenants") / "eid-bravo"
    shutil.copytree(Path(__file__).parents[1] / "tenants" / "bravo", folder)
    for path in folder.rglob("*.toml"):
        path.write_text(path.read_text().replace('"bravo', '"eid-bravo'))
    variables = {
        "sandbox_studio": "http://127.0.0.1:9", "sandbox_psp": "http://127.0.0.1:9", "sandbox_smtp_port": "9",
        "sandbox_eid": f"http://127.0.0.1:{eid.port}",
    }  # fmt: skip
    tenant = tenancy.apply_folder(folder, variables)
    key = tenancy.integrations_of(tenant, "kyc")[0].secrets["relying_party_key"]
    eid.configure({"relying_parties": [{"name": "Nordic", "key": key}]})
    return tenant


def number() -> str:
    """A number in the vendor's form that nobody else has: born on 17 May 1990."""
    return f"19900517{next(_serials):04d}"


def approve(eid: Vendor, order_id: str, player: accounts.Player, **changed: str) -> None:
    person = {
        "personal_number": number(), "first_name": player.first_name, "last_name": player.last_name,
        "birth_date": player.birth_date.isoformat(), "country": "SE",
    }  # fmt: skip
    status, told = eid.post(f"/control/orders/{order_id}/approve", {**person, **changed})
    assert status == 200, told


def code_of(call: Any) -> str:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code.name


def case_of(tenant: TenantRef, order_id: str) -> IdentityCaseRow:
    with unit_of_work(tenant) as work:
        return work.session.scalars(select(IdentityCaseRow).where(IdentityCaseRow.order_id == order_id)).one()


def test_the_whole_way(nordic: TenantRef, eid: Vendor) -> None:
    player = people.register(nordic)
    order = compliance.begin_identity(nordic, player, RETURN)
    assert order.redirect_url.startswith(f"http://127.0.0.1:{eid.port}/identify/")
    assert compliance.complete_identity(nordic, player, order.order_id) == "pending"
    personal_number = number()
    approve(eid, order.order_id, player, personal_number=personal_number, first_name="Åsa-Märta")
    with money_work(nordic) as work:
        compliance.set_deposit_limit(work, player, "day", parse("1000", "SEK"))
    assert not may_stake(nordic, player)
    assert compliance.complete_identity(nordic, player, order.order_id) == "verified"
    proven = people.fresh(nordic, player)
    assert proven.verified_at is not None and proven.first_name == "Åsa-Märta"
    assert may_stake(nordic, player), "in the same commit"
    with unit_of_work(nordic) as work:
        compliance.play_gate(work, player)
        compliance.deposit_gate(work, player)
        row = work.session.get_one(PlayerRow, player.id)
        entries = audit.entries(work, before=None, limit=5, subject=f"player:{player.public_id}")
        state = compliance.identity_state(work, player)
    assert row.sealed_national_id is not None and personal_number not in row.sealed_national_id
    assert [entry.action for entry in entries] == ["identity.verified"]
    assert personal_number not in str(entries) and "Åsa" not in str(entries)
    assert (state.status, state.required, state.order_id) == ("verified", False, order.order_id)


def test_completing_again_and_at_the_same_moment_changes_nothing(nordic: TenantRef, eid: Vendor) -> None:
    player, together = people.register(nordic), Barrier(4)
    order = compliance.begin_identity(nordic, player, RETURN)
    approve(eid, order.order_id, player)

    def complete(_: int) -> str:
        together.wait(10)
        return compliance.complete_identity(nordic, player, order.order_id)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(complete, range(4))) == ["verified"] * 4
    first = people.fresh(nordic, player)
    assert compliance.complete_identity(nordic, player, order.order_id) == "verified"
    assert people.fresh(nordic, player) == first
    with unit_of_work(nordic) as work:
        facts = select(func.count()).where(
            OutboxRow.name == IdentityVerified.NAME, OutboxRow.key == f"player:{player.id}"
        )
        assert work.session.scalar(facts) == 1
    assert code_of(lambda: compliance.begin_identity(nordic, player, RETURN)) == "identity_known"


@pytest.mark.parametrize("changed", [{"birth_date": "1990-05-18"}, {"birth_date": "1989-05-17"}, {"country": "NO"}])
def test_another_birth_date_or_country_is_another_person(
    nordic: TenantRef, eid: Vendor, changed: dict[str, str]
) -> None:
    player = people.register(nordic)
    order = compliance.begin_identity(nordic, player, RETURN)
    approve(eid, order.order_id, player, **changed)
    for _ in range(2):
        assert code_of(lambda: compliance.complete_identity(nordic, player, order.order_id)) == "identity_mismatch"
    assert people.fresh(nordic, player) == player
    assert case_of(nordic, order.order_id).refusal == "identity_mismatch"
    again = compliance.begin_identity(nordic, player, RETURN)
    approve(eid, again.order_id, player)
    assert compliance.complete_identity(nordic, player, again.order_id) == "verified", "a second try is free"


def test_one_number_proves_one_account(nordic: TenantRef, eid: Vendor) -> None:
    one, two, same = people.register(nordic), people.register(nordic), number()
    for player, expected in ((one, "verified"), (two, "identity_taken")):
        order = compliance.begin_identity(nordic, player, RETURN)
        approve(eid, order.order_id, player, personal_number=same)
        if expected == "verified":
            assert compliance.complete_identity(nordic, player, order.order_id) == expected
        else:
            assert code_of(lambda o=order: compliance.complete_identity(nordic, two, o.order_id)) == expected
    assert people.fresh(nordic, two).verified_at is None
    assert case_of(nordic, order.order_id).status == "refused", "the refusal itself was committed"


def test_the_age_is_checked_again_by_the_proven_date(nordic: TenantRef, eid: Vendor) -> None:
    """A registration can be older than a stricter rule; here the row is made younger by hand."""
    player = people.register(nordic)
    young = clock.now().date() - timedelta(days=17 * 365)
    with unit_of_work(nordic) as work:
        work.session.execute(update(PlayerRow).where(PlayerRow.id == player.id).values(birth_date=young))
    player = people.fresh(nordic, player)
    order = compliance.begin_identity(nordic, player, RETURN)
    approve(eid, order.order_id, player, personal_number=f"{young:%Y%m%d}{next(_serials):04d}")
    assert code_of(lambda: compliance.complete_identity(nordic, player, order.order_id)) == "under_age"
    assert people.fresh(nordic, player).verified_at is None


@pytest.mark.parametrize("action, status", [("cancel", "cancelled"), ("expire", "expired")])
def test_an_order_that_comes_to_nothing(nordic: TenantRef, eid: Vendor, action: str, status: str) -> None:
    player = people.register(nordic)
    order = compliance.begin_identity(nordic, player, RETURN)
    eid.post(f"/control/orders/{order.order_id}/{action}")
    for _ in range(2):
        assert compliance.complete_identity(nordic, player, order.order_id) == status
    assert people.fresh(nordic, player).verified_at is None
    assert case_of(nordic, order.order_id).closed_at is not None


def test_somebody_elses_order_does_not_exist(nordic: TenantRef, eid: Vendor, bravo: TenantRef) -> None:
    mine, other = people.register(nordic), people.register(nordic)
    order = compliance.begin_identity(nordic, mine, RETURN)
    approve(eid, order.order_id, mine)
    for tenant, player in ((nordic, other), (bravo, people.register(bravo))):
        call = lambda t=tenant, p=player: compliance.complete_identity(t, p, order.order_id)  # noqa: E731
        assert code_of(call) == "identity_order_unknown"
    assert code_of(lambda: compliance.complete_identity(nordic, mine, "ord-unknown")) == "identity_order_unknown"
    assert compliance.complete_identity(nordic, mine, order.order_id) == "verified"


def test_an_answer_proven_by_another_key_is_not_believed(nordic: TenantRef, eid: Vendor) -> None:
    """The vendor's books say complete; our key has changed since, so its proof does not hold: nothing may change."""
    from whitefelt.compliance import identity
    from whitefelt.connectors.kyc import nordkey

    player = people.register(nordic)
    order = compliance.begin_identity(nordic, player, RETURN)
    approve(eid, order.order_id, player)
    genuine = nordkey.read

    def forged(told: Any, key: str) -> Any:
        return genuine({**told, "signature": "0" * 64}, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nordkey, "read", forged)
        call = lambda: identity.complete_identity(nordic, player, order.order_id)  # noqa: E731
        assert code_of(call) == "identity_unavailable"
    assert people.fresh(nordic, player).verified_at is None and case_of(nordic, order.order_id).status == "pending"
    assert compliance.complete_identity(nordic, player, order.order_id) == "verified"


@pytest.mark.parametrize("field", ["reference", "order_id"])
def test_a_proven_answer_about_another_order_is_not_taken(nordic: TenantRef, eid: Vendor, field: str) -> None:
    from whitefelt.connectors.kyc import nordkey

    player = people.register(nordic)
    order = compliance.begin_identity(nordic, player, RETURN)
    approve(eid, order.order_id, player)
    genuine = nordkey.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nordkey, "read", lambda told, key: replace(genuine(told, key), **{field: "another"}))
        call = lambda: compliance.complete_identity(nordic, player, order.order_id)  # noqa: E731
        assert code_of(call) == "identity_unavailable"
    assert people.fresh(nordic, player).verified_at is None
    assert compliance.complete_identity(nordic, player, order.order_id) == "verified"


def test_a_blocked_player_begins_nothing(nordic: TenantRef) -> None:
    player = people.register(nordic)
    with money_work(nordic) as work:
        compliance.block_player(work, player.id, "test")
    assert code_of(lambda: compliance.begin_identity(nordic, player, RETURN)) == "account_blocked"


def test_a_vendor_out_of_reach_loses_nothing(nordic: TenantRef, eid: Vendor) -> None:
    player, waiting = people.register(nordic), people.register(nordic)
    order = compliance.begin_identity(nordic, waiting, RETURN)
    approve(eid, order.order_id, waiting)
    eid.stop()
    try:
        with pytest.raises(Problem) as caught:
            compliance.begin_identity(nordic, player, RETURN)
        assert caught.value.code.name == "identity_unavailable" and caught.value.code.retryable
        call = lambda: compliance.complete_identity(nordic, waiting, order.order_id)  # noqa: E731
        assert code_of(call) == "identity_unavailable"
    finally:
        eid.start()
    assert compliance.complete_identity(nordic, waiting, order.order_id) == "verified"
    assert compliance.begin_identity(nordic, player, RETURN).order_id
    with unit_of_work(nordic) as work:
        cases = (
            select(IdentityCaseRow.status).where(IdentityCaseRow.player_id == player.id).order_by(IdentityCaseRow.id)
        )
        assert list(work.session.scalars(cases)) == ["failed", "pending"]


def test_no_transaction_is_held_while_the_vendor_thinks(nordic: TenantRef, eid: Vendor) -> None:
    """Asked of Postgres: during the call none of our connections sits in a transaction."""
    import psycopg

    from whitefelt.connectors.kyc import nordkey
    from whitefelt.kernel import settings

    player, seen = people.register(nordic), []
    genuine = nordkey.http.call
    open_now = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'whitefelt%' AND xact_start IS NOT NULL"
    )

    def watching(*args: Any, **kwargs: Any) -> Any:
        total = 0
        for login in ("app", "money"):  # each login sees its own sessions only
            with psycopg.connect(settings.current().login_url(login), autocommit=True) as connection:
                total += connection.execute(open_now).fetchone()[0]  # type: ignore[index]
        seen.append(total)
        return genuine(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nordkey.http, "call", watching)
        order = compliance.begin_identity(nordic, player, RETURN)
        approve(eid, order.order_id, player)
        assert compliance.complete_identity(nordic, player, order.order_id) == "verified"
        with unit_of_work(nordic):
            nordkey.http.call("GET", f"http://127.0.0.1:{eid.port}/healthz")
    assert seen == [0, 0, 1], "and the measure does see a transaction that is open"
