"""Accounts in Postgres: one per person and brand, however many ask at the same moment."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select

import people
from whitefelt import accounts
from whitefelt.accounts.models import ConsentRow, PlayerCredentialsRow, PlayerRow
from whitefelt.kernel import secrets, settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.errors import Problem


def create(tenant: TenantRef, **changed: Any) -> accounts.Player:
    name = people.unique_name()
    told: dict[str, Any] = {
        "brand_id": people.brand_site(tenant).brand.id,  # type: ignore[union-attr]
        "jurisdiction": "MT", "currency": "EUR", "email": f"{name}@example.com", "password": people.PASSWORD,
        "first_name": "Ada", "last_name": name, "birth_date": date(1990, 5, 17), "country": "MT", "language": "en",
        "consents": {"terms": "1"},
    }  # fmt: skip
    with unit_of_work(tenant) as work:
        return accounts.create_player(work, **{**told, **changed})


def code_of(call: Any) -> str:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code.name


def test_an_account_keeps_what_was_given_and_no_readable_password(alpha: TenantRef) -> None:
    made = create(alpha, first_name="  Ada   Maria ")
    assert uuid.UUID(made.public_id).version == 7 and made.owner == f"player:{made.public_id}"
    with unit_of_work(alpha) as work:
        assert accounts.player(work, made.id) == made == accounts.player_by_public_id(work, made.public_id)
        assert accounts.consents_of(work, made.id) == {"terms": "1"}
        stored = work.session.get_one(PlayerCredentialsRow, made.id).password_hash
        accepted = work.session.scalars(select(ConsentRow).where(ConsentRow.player_id == made.id)).one()
    assert made.first_name == "Ada Maria"
    assert stored.startswith("$argon2id$") and people.PASSWORD not in stored
    assert accepted.accepted_at == made.created_at


def test_unknown_ids_are_unknown_and_not_errors(alpha: TenantRef, bravo: TenantRef) -> None:
    made = create(alpha)
    with unit_of_work(bravo) as work:
        assert code_of(lambda: accounts.player_by_public_id(work, made.public_id)) == "player_unknown"
    with unit_of_work(alpha) as work:
        assert accounts.player_by_public_id(work, made.public_id) == made
        for wrong in ("", "x", str(uuid.uuid4()), "' or 1=1"):
            assert code_of(lambda wrong=wrong: accounts.player_by_public_id(work, wrong)) == "player_unknown"


def test_a_known_address_and_a_known_person_get_the_same_answer(alpha: TenantRef) -> None:
    first = create(alpha)
    with pytest.raises(Problem) as by_address:
        create(alpha, email=first.email.upper())
    with pytest.raises(Problem) as by_person:
        create(alpha, first_name="ADA", last_name=f" {first.last_name.upper()} ")
    assert by_address.value.document() == by_person.value.document()
    assert by_address.value.code.name == "account_exists"
    create(alpha, last_name=first.last_name, birth_date=date(1990, 5, 18))


def test_another_brand_of_the_operator_is_another_account(alpha: TenantRef) -> None:
    first = create(alpha)
    elsewhere = create(alpha, brand_id=999_999, email=first.email, last_name=first.last_name)
    assert elsewhere.id != first.id


@pytest.mark.parametrize("shared", ["person", "address"])
def test_of_many_at_the_same_moment_exactly_one_is_admitted(alpha: TenantRef, shared: str) -> None:
    name, together = people.unique_name(), Barrier(6)

    def attempt(number: int) -> str:
        person = {"last_name": name} if shared == "person" else {"email": f"{name}@example.com"}
        together.wait(10)
        try:
            create(alpha, **person)
        except Problem as problem:
            return problem.code.name
        return "admitted"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(attempt, range(6)))
    assert answers == ["account_exists"] * 5 + ["admitted"]
    with unit_of_work(alpha) as work:
        mine = (
            PlayerRow.last_name == name
            if shared == "person"
            else func.lower(PlayerRow.email) == f"{name}@example.com".lower()
        )
        assert work.session.scalar(select(func.count()).where(mine)) == 1


def test_all_faulty_fields_are_named_at_once(alpha: TenantRef) -> None:
    with pytest.raises(Problem) as caught:
        create(alpha, email="x", password="short", first_name="\x00", last_name="", language="english")
    assert caught.value.code.name == "fields_invalid"
    assert set(caught.value.extra["errors"]) == {"email", "password", "first_name", "last_name", "language"}


# --- proven identity -------------------------------------------------------------------------------------------------


def prove(tenant: TenantRef, player: accounts.Player, number: str, last_name: str | None = None) -> accounts.Player:
    person = accounts.Person("Augusta", last_name or player.last_name, player.birth_date, "SE")
    with unit_of_work(tenant) as work:
        return accounts.set_verified(work, player.id, person, number)


def test_a_proven_name_wins_and_the_number_is_sealed(alpha: TenantRef) -> None:
    made = create(alpha)
    number = f"19900517-{made.id:04d}"
    proven = prove(alpha, made, number)
    assert (proven.first_name, proven.verified_at is not None) == ("Augusta", True)
    with unit_of_work(alpha) as work:
        row = work.session.get_one(PlayerRow, made.id)
    assert number not in (row.sealed_national_id or "")
    assert secrets.unseal(row.sealed_national_id or "", f"player-national-id:{made.public_id}") == number
    assert row.national_id_key is not None and number.encode() not in row.national_id_key


def test_a_number_proves_one_account_however_it_is_written(alpha: TenantRef) -> None:
    one, two = create(alpha), create(alpha)
    prove(alpha, one, f"19900517-{one.id}")
    assert code_of(lambda: prove(alpha, two, f"19900517{one.id}")) == "identity_taken"
    with unit_of_work(alpha) as work:
        assert accounts.player(work, two.id) == two, "nothing of the refused proof is kept"
    assert prove(alpha, two, f"19900517-{two.id}").verified_at is not None


def test_a_proven_name_that_is_another_accounts_person_is_taken(alpha: TenantRef) -> None:
    one = create(alpha, first_name="Augusta")
    two = create(alpha)
    assert code_of(lambda: prove(alpha, two, f"x{two.id}", one.last_name)) == "identity_taken"


# --- finding ---------------------------------------------------------------------------------------------------------


def test_finding_by_the_beginning_of_address_or_name_or_by_id(alpha: TenantRef) -> None:
    made, other = create(alpha), create(alpha)
    with unit_of_work(alpha) as work:

        def found(query: str) -> list[int]:
            return [one.id for one in accounts.find_players(work, query)]

        assert found(made.last_name.upper()) == found(made.email[:-4]) == found(made.public_id) == [made.id]
        assert found("")[:2] == [other.id, made.id]
        assert found("%") == [] and found("_") == []
        assert [one.id for one in accounts.find_players(work, "", before=other.id, limit=1)] == [made.id]


# --- what auditors may read ------------------------------------------------------------------------------------------

SECRET = [
    ("player_credentials", "password_hash"), ("player_sessions", "token_hash"), ("players", "sealed_national_id"),
    ("players", "national_id_key"), ("players", "person_key"), ("staff_credentials", "password_hash"),
    ("staff_sessions", "token_hash"), ("sign_in_attempts", "account_key"),
]  # fmt: skip
READABLE = [
    ("players", "email"), ("player_sessions", "created_at"), ("consents", "version"), ("staff", "role"),
    ("staff_sessions", "expires_at"), ("sign_in_attempts", "attempted_at"), ("deposit_limits", "amount_units"),
    ("exclusions", "ends_at"), ("identity_cases", "status"),
]  # fmt: skip


@pytest.mark.parametrize("table, column", SECRET)
def test_auditors_cannot_read_what_opens_doors(alpha: TenantRef, table: str, column: str) -> None:
    refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
    with psycopg.connect(settings.current().login_url("audit")) as connection, refused:
        connection.execute(f"SELECT {column} FROM {alpha.schema}.{table}")


@pytest.mark.parametrize("table, column", READABLE)
def test_auditors_read_the_rest(alpha: TenantRef, table: str, column: str) -> None:
    with psycopg.connect(settings.current().login_url("audit")) as connection:
        connection.execute(f"SELECT {column} FROM {alpha.schema}.{table}")


def test_consents_are_append_only_for_the_application(alpha: TenantRef) -> None:
    made = create(alpha)
    with unit_of_work(alpha) as work:
        row = work.session.scalars(select(ConsentRow).where(ConsentRow.player_id == made.id)).one()
        row.version = "2"
        with pytest.raises(Exception, match="permission denied"):
            work.session.flush()
        work.session.rollback()
