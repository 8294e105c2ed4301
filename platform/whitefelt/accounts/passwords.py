"""Passwords: argon2id, and the same work whether or not an account exists."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from whitefelt.kernel import ids

#: Argon2id with 19 MiB, two passes, one lane: a sign-in costs some 20 ms and a web worker can afford several at once.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """True when the password belongs to the stored hash; `stored` None does the same work and says no."""
    try:
        return _hasher.verify(stored or _nobodys(), password) and stored is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def is_outdated(stored: str) -> bool:
    """True when the hash was made with other parameters than today's, so that it is renewed at the next sign-in."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobodys() -> str:
    return _hasher.hash(ids.token())
