"""Players: opening an account, reading it, and the changes that others decide (status, verified identity)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from whitefelt.accounts import keys, passwords, rules
from whitefelt.accounts.errors import ACCOUNT_EXISTS, IDENTITY_TAKEN, PLAYER_UNKNOWN
from whitefelt.accounts.models import ConsentRow, PlayerCredentialsRow, PlayerRow
from whitefelt.kernel import ids, secrets
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import FIELDS_INVALID, Problem

STATUSES = ("active", "blocked", "closed")


@dataclass(frozen=True, slots=True)
class Player:
    """A player's account with one brand, as it was read. `verified_at` is None until the identity was proven."""

    id: int
    public_id: str
    brand_id: int
    jurisdiction: str
    currency: str
    email: str
    first_name: str
    last_name: str
    birth_date: date
    country: str
    language: str
    status: str
    verified_at: datetime | None
    created_at: datetime

    @property
    def owner(self) -> str:
        """The name under which the wallet knows this player."""
        return f"player:{self.public_id}"

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Person:
    """Who someone is, by their own word or an identity vendor's."""

    first_name: str
    last_name: str
    birth_date: date
    country: str


def player_of(row: PlayerRow) -> Player:
    """The plain value of a row."""
    return Player(
        id=row.id, public_id=str(row.public_id), brand_id=row.brand_id, jurisdiction=row.jurisdiction,
        currency=row.currency, email=row.email, first_name=row.first_name, last_name=row.last_name,
        birth_date=row.birth_date, country=row.country, language=row.language, status=row.status,
        verified_at=row.verified_at, created_at=row.created_at,
    )  # fmt: skip


def field_faults(email: str, password: str, person: Person, language: str) -> dict[str, list[str]]:
    """What is wrong with each field of a registration; empty when nothing is."""
    found = {
        "email": rules.email_fault(email),
        "password": rules.password_fault(password, email),
        "first_name": rules.name_fault(person.first_name),
        "last_name": rules.name_fault(person.last_name),
        "language": rules.language_fault(language),
    }
    return {field: [fault] for field, fault in found.items() if fault}


def create_player(
    work: Work,
    *,
    brand_id: int,
    jurisdiction: str,
    currency: str,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    birth_date: date,
    country: str,
    language: str,
    consents: Mapping[str, str],
) -> Player:
    """Open an account with what the person accepted (document -> version); age and country are compliance's to judge.

    Errors: `fields_invalid`; `account_exists` when the brand knows the address or the person: one code for both and the
    password hashed before either is looked up, so that neither answer nor time tells which.
    """
    person = Person(rules.clean_name(first_name), rules.clean_name(last_name), birth_date, country)
    faults = field_faults(email, password, person, language)
    if faults:
        raise Problem(FIELDS_INVALID, errors=faults)
    password_hash = passwords.hash_password(password)
    now = work.now()
    made = work.session.scalar(
        insert(PlayerRow)
        .values(
            public_id=ids.uuid7(), brand_id=brand_id, jurisdiction=jurisdiction, currency=currency, email=email,
            first_name=person.first_name, last_name=person.last_name, birth_date=birth_date, country=country,
            language=language, person_key=_person_key(person), created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(PlayerRow)
    )  # fmt: skip
    if made is None:
        raise Problem(ACCOUNT_EXISTS)
    work.session.add(PlayerCredentialsRow(player_id=made.id, password_hash=password_hash, changed_at=now))
    for document, version in sorted(consents.items()):
        work.session.add(ConsentRow(player_id=made.id, document=document, version=version, accepted_at=now))
    work.session.flush()
    return player_of(made)


def player(work: Work, player_id: int) -> Player:
    """That player; `player_unknown`."""
    return _one(work, select(PlayerRow).where(PlayerRow.id == player_id))


def player_by_public_id(work: Work, public_id: str) -> Player:
    """That player; `player_unknown`, also for what is no id at all."""
    try:
        wanted = uuid.UUID(public_id)
    except ValueError:
        raise Problem(PLAYER_UNKNOWN) from None
    return _one(work, select(PlayerRow).where(PlayerRow.public_id == wanted))


def lock_player(work: Work, player_id: int) -> Player:
    """That player, locked until commit: whoever changes limits, exclusions or identity takes this lock first."""
    return _one(work, select(PlayerRow).where(PlayerRow.id == player_id).with_for_update())


def find_players(work: Work, query: str = "", before: int | None = None, limit: int = 50) -> list[Player]:
    """Players, newest first, with ids below `before`; `query`: the beginning of an address or last name, or an id."""
    wanted = query.strip().lower()
    if not wanted.isprintable():
        return []
    found = select(PlayerRow).order_by(PlayerRow.id.desc()).limit(limit)
    if before is not None:
        found = found.where(PlayerRow.id < before)
    if wanted:
        begins = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        match: list[ColumnElement[bool]] = [
            func.lower(PlayerRow.email).like(begins),
            func.lower(PlayerRow.last_name).like(begins),
        ]
        with suppress(ValueError):
            match.append(PlayerRow.public_id == uuid.UUID(wanted))
        found = found.where(or_(*match))
    return [player_of(row) for row in work.session.scalars(found.execution_options(populate_existing=True))]


def consents_of(work: Work, player_id: int) -> dict[str, str]:
    """The newest version of each document that the player accepted."""
    rows = work.session.scalars(select(ConsentRow).where(ConsentRow.player_id == player_id).order_by(ConsentRow.id))
    return {row.document: row.version for row in rows}


def set_player_status(work: Work, player_id: int, status: str) -> Player:
    """Mark the account active, blocked or closed. What follows from it (stakes, sessions) is for compliance to do."""
    assert status in STATUSES, status
    work.session.execute(update(PlayerRow).where(PlayerRow.id == player_id).values(status=status))
    return player(work, player_id)


def set_verified(work: Work, player_id: int, person: Person, national_id: str) -> Player:
    """Write down a proven identity: the proven name replaces the given one, the number is kept sealed and as a key.

    Errors: `identity_taken` when the brand knows that number, or that person, by another account.
    """
    country = person.country.upper()
    proven = Person(rules.clean_name(person.first_name), rules.clean_name(person.last_name), person.birth_date, country)
    row = work.session.scalars(select(PlayerRow).where(PlayerRow.id == player_id)).one()
    # The country of residence stays part of the person's key; the number's country is the id's.
    known = Person(proven.first_name, proven.last_name, proven.birth_date, row.country)
    change = update(PlayerRow).where(PlayerRow.id == player_id).values(
        first_name=proven.first_name, last_name=proven.last_name, person_key=_person_key(known),
        national_id_key=keys.national_id_key(country, national_id),
        sealed_national_id=secrets.seal(national_id, f"player-national-id:{row.public_id}"),
        verified_at=work.now(),
    )  # fmt: skip
    try:
        with work.session.begin_nested():
            work.session.execute(change)
    except IntegrityError as error:
        raise Problem(IDENTITY_TAKEN) from error
    return player(work, player_id)


def _person_key(person: Person) -> bytes:
    return keys.person_key(person.first_name, person.last_name, person.birth_date, person.country)


def _one(work: Work, query: Select[PlayerRow]) -> Player:
    row = work.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise Problem(PLAYER_UNKNOWN)
    return player_of(row)
