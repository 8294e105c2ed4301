"""Registration: may this person open an account here, today? If so: account, consents, pockets, and the stakes flag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from whitefelt import wallet
from whitefelt.accounts import Person, Player, clean_name, create_player, field_faults
from whitefelt.compliance import errors, rules
from whitefelt.compliance.rulebook import RuleSet, ruleset
from whitefelt.compliance.standing import apply_standing
from whitefelt.facts.people import PlayerRegistered
from whitefelt.kernel import outbox
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import FIELDS_INVALID, Problem
from whitefelt.tenancy import Site

_OLDEST = 120


@dataclass(frozen=True, slots=True)
class Application:
    """What a person typed to register, unchecked. `birth_date` is YYYY-MM-DD; `documents` maps a document to the
    version that was shown and accepted."""

    email: str
    password: str = field(repr=False)
    first_name: str
    last_name: str
    birth_date: str
    country: str
    language: str = "en"
    documents: Mapping[str, str] = field(default_factory=dict)


def admit(work: Work, site: Site, form: Application) -> Player:
    """Open an account with this site's brand, in its jurisdiction and currency. Needs a money_work.

    Errors, the first that applies: `fields_invalid` (all fields at once), `country_not_served`, `under_age`,
    `documents_outdated`, `account_exists`. Each carries `errors`: field -> messages.
    """
    assert site.brand is not None and site.tenant == work.here, "registration needs a brand's site of this operator"
    ruleset_ = ruleset(site.jurisdiction, work.now())
    email, country = form.email.strip(), form.country.strip().upper()
    birth_date = _checked(form, email, country, ruleset_)
    _admissible(ruleset_, country, birth_date, form.documents)
    player = create_player(
        work, brand_id=site.brand.id, jurisdiction=site.jurisdiction, currency=site.currency, email=email,
        password=form.password, first_name=form.first_name, last_name=form.last_name, birth_date=birth_date,
        country=country, language=form.language, consents=dict(ruleset_.documents),
    )  # fmt: skip
    wallet.open_pockets(work, player.owner, player.currency)
    apply_standing(work, player)
    fact = PlayerRegistered(player.id, player.public_id, player.brand_id, player.jurisdiction, player.currency)
    outbox.record(work, fact)
    return player


def _checked(form: Application, email: str, country: str, ruleset_: RuleSet) -> date:
    """The birth date, once every field can be read; `fields_invalid` names all faults at once."""
    birth_date = _read_date(form.birth_date)
    person = Person(clean_name(form.first_name), clean_name(form.last_name), birth_date or date.min, country)
    faults = field_faults(email, form.password, person, form.language)
    if birth_date is None:
        faults["birth_date"] = ["Enter your date of birth as YYYY-MM-DD."]
    elif not 0 <= rules.age_on(birth_date, ruleset_.today) <= _OLDEST or birth_date > ruleset_.today:
        faults["birth_date"] = ["Enter your own date of birth."]
    if not (len(country) == 2 and country.isascii() and country.isalpha()):
        faults["country"] = ["Choose the country you live in."]
    if faults or birth_date is None:
        raise Problem(FIELDS_INVALID, errors=faults)
    return birth_date


def _read_date(text: str) -> date | None:
    # fromisoformat also takes week dates and compact forms: one form is enough.
    try:
        return date.fromisoformat(text) if len(text) == 10 and text[4] == text[7] == "-" else None
    except ValueError:
        return None


def _admissible(ruleset_: RuleSet, country: str, birth_date: date, accepted: Mapping[str, str]) -> None:
    if country not in ruleset_.residence_countries:
        raise Problem(
            errors.COUNTRY_NOT_SERVED, errors={"country": [errors.COUNTRY_NOT_SERVED.title]},
            **ruleset_.cite("residence_countries"),
        )  # fmt: skip
    if not rules.is_of_age(ruleset_, birth_date):
        told = f"You must be at least {ruleset_.min_age} years old."
        raise Problem(errors.UNDER_AGE, told, errors={"birth_date": [told]}, **ruleset_.cite("min_age"))
    missing = rules.missing_documents(ruleset_.documents, accepted)
    if missing:
        told_of = {f"documents.{name}": [f"Accept version {version}."] for name, version in sorted(missing.items())}
        raise Problem(errors.DOCUMENTS_OUTDATED, errors=told_of, **ruleset_.cite("documents"))
