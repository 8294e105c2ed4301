"""Keyed hashes: they let us recognise a person or an address again without keeping either where it could be read."""

from __future__ import annotations

import hmac
import re
from datetime import date
from hashlib import sha256

from whitefelt.accounts import rules
from whitefelt.kernel import settings


def person_key(first_name: str, last_name: str, birth_date: date, country: str) -> bytes:
    """Recognises the same person by name, birth date and country of residence."""
    return _keyed("person", rules.person_text(first_name, last_name, birth_date.isoformat(), country))


def national_id_key(country: str, number: str) -> bytes:
    """Recognises the same person by a national identity number; separators in the number do not matter."""
    return _keyed("national-id", f"{country.upper()}\n{re.sub(r'[^0-9A-Za-z]', '', number).upper()}")


def account_key(audience: str, brand_id: int, email: str) -> bytes:
    """Names an account in the list of sign-in attempts, whether or not it exists."""
    return _keyed("sign-in", f"{audience}\n{brand_id}\n{email.lower()}")


def _keyed(purpose: str, text: str) -> bytes:
    key = settings.current().derive(f"accounts:{purpose}")
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), sha256).digest()
