"""Registration: who is admitted, who is not and why, and what an admitted player has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

import people
from whitefelt import accounts, compliance, wallet
from whitefelt.accounts.models import PlayerRow
from whitefelt.facts.people import PlayerRegistered
from whitefelt.kernel import clock
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.outbox_models import OutboxRow

TICK = timedelta(microseconds=1)


def refused(tenant: TenantRef, **changed: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        people.register(tenant, **changed)
    return caught.value


def test_an_admitted_player_has_consents_pockets_and_is_told_of(alpha: TenantRef) -> None:
    player = people.register(alpha, country=" mt ")
    site = people.brand_site(alpha)
    assert site.brand is not None
    assert (player.brand_id, player.jurisdiction, player.currency) == (site.brand.id, "MT", "EUR")
    assert player.country == "MT" and player.verified_at is None
    with unit_of_work(alpha) as work:
        pockets = wallet.find_pockets(work, player.owner, "EUR")
        assert pockets is not None and wallet.balances(work, pockets).stakeable.units == 0
        assert accounts.consents_of(work, player.id) == {"terms": "2026-11", "privacy": "2026-11"}
        told = work.session.scalars(
            select(OutboxRow).where(OutboxRow.name == PlayerRegistered.NAME, OutboxRow.key == f"player:{player.id}")
        ).one()
        assert told.body["player_public_id"] == player.public_id


def stakes(tenant: TenantRef, player: accounts.Player) -> bool:
    """Would the wallet take a stake? Asked of the wallet itself."""
    from whitefelt.wallet.models import pockets as table

    with unit_of_work(tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, player.currency)
        assert pockets is not None
        return bool(work.session.scalar(select(table.c.stakes_allowed).where(table.c.id == pockets.cash)))


def test_malta_may_play_at_once_and_sweden_not_yet(alpha: TenantRef, bravo: TenantRef) -> None:
    assert stakes(alpha, people.register(alpha))
    assert not stakes(bravo, people.register(bravo))


@pytest.mark.parametrize("zone, fixture", [("Europe/Malta", "alpha"), ("Europe/Stockholm", "bravo")])
def test_the_birthday_begins_at_local_midnight(request: pytest.FixtureRequest, zone: str, fixture: str) -> None:
    tenant: TenantRef = request.getfixturevalue(fixture)
    born = date(2008, 11, 22)
    midnight = datetime(2026, 11, 22, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    with clock.frozen(midnight - TICK):
        problem = refused(tenant, birth_date=born.isoformat())
    assert problem.code.name == "under_age" and set(problem.extra["errors"]) == {"birth_date"}
    assert problem.extra["rule"].endswith(".min_age") and problem.extra["rule_version"].startswith("2026-")
    with clock.frozen(midnight):
        assert people.register(tenant, birth_date=born.isoformat()).birth_date == born
        assert refused(tenant, birth_date="2008-11-23").code.name == "under_age"
        assert people.register(tenant, birth_date="2008-11-21").birth_date == date(2008, 11, 21)


@pytest.mark.parametrize("country", ["SE", "GB", "US", "ZZ"])
def test_a_country_that_is_not_served(alpha: TenantRef, country: str) -> None:
    problem = refused(alpha, country=country)
    assert problem.code.name == "country_not_served" and problem.extra["rule"] == "MT.residence_countries"


@pytest.mark.parametrize(
    "documents",
    [{}, {"terms": "2026-11"}, {"terms": "2026-11", "privacy": "2026-10"}, {"terms": "", "privacy": "2026-11"}],
)
def test_documents_in_other_versions(alpha: TenantRef, documents: dict[str, str]) -> None:
    problem = refused(alpha, documents=documents)
    assert problem.code.name == "documents_outdated"
    assert all(field.startswith("documents.") for field in problem.extra["errors"])


@pytest.mark.parametrize(
    "field, value",
    [("email", "nobody"), ("password", "1234567"), ("first_name", ""), ("last_name", "\x07"), ("birth_date", ""),
     ("birth_date", "17/05/1990"), ("birth_date", "1990-02-30"), ("birth_date", "19900517"), ("birth_date", "1990-W20-4"),
     ("birth_date", "2030-01-01"), ("birth_date", "1890-01-01"), ("country", "Malta"), ("country", ""),
     ("language", "../en")],
)  # fmt: skip
def test_one_faulty_field_is_named(alpha: TenantRef, field: str, value: str) -> None:
    problem = refused(alpha, **{field: value})
    assert problem.code.name == "fields_invalid" and set(problem.extra["errors"]) == {field}


def test_one_account_per_person(alpha: TenantRef) -> None:
    name = people.unique_name()
    people.register(alpha, last_name=name)
    assert refused(alpha, last_name=name.upper()).code.name == "account_exists"


def test_the_same_person_at_the_same_moment_gets_exactly_one_account(alpha: TenantRef) -> None:
    name, together = people.unique_name(), Barrier(6)

    def attempt(_: int) -> str:
        together.wait(10)
        try:
            return people.register(alpha, last_name=name).public_id
        except Problem as problem:
            return problem.code.name

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, range(6)))
    assert sorted(one == "account_exists" for one in answers) == [False] + [True] * 5
    with unit_of_work(alpha) as work:
        rows = work.session.scalars(select(PlayerRow).where(PlayerRow.last_name == name)).all()
        told = work.session.scalar(
            select(func.count()).where(OutboxRow.name == PlayerRegistered.NAME, OutboxRow.key == f"player:{rows[0].id}")
        )
    assert len(rows) == 1 and told == 1


def test_a_refused_registration_leaves_nothing(alpha: TenantRef) -> None:
    name = people.unique_name()
    refused(alpha, last_name=name, documents={})
    with unit_of_work(alpha) as work:
        assert work.session.scalar(select(func.count()).where(PlayerRow.last_name == name)) == 0
    assert people.register(alpha, last_name=name).last_name == name


def test_another_operators_site_cannot_be_used(alpha: TenantRef, bravo: TenantRef) -> None:
    site = people.brand_site(bravo)
    with money_work(alpha) as work, pytest.raises(AssertionError):
        compliance.admit(work, site, people.application(site))
