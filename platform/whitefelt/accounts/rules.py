"""Pure decisions about people and sessions: what a valid address, name or password is; when a session is over."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_EMAIL, MAX_NAME = 254, 80
MIN_PASSWORD, MAX_PASSWORD = 8, 128

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_LOCAL}@(?:{_LABEL}\.)+(?:[A-Za-z]{{2,63}}|xn--[A-Za-z0-9-]{{1,59}})", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}(?:-[A-Z]{2})?", re.ASCII)

#: The passwords that are tried first, everywhere; compared without regard to case.
COMMON_PASSWORDS = frozenset(
    """
    00000000 11111111 12121212 12341234 12344321 123123123 12345678 123456789 1234567890 1234abcd 123qwe123 1q2w3e4r
    1q2w3e4r5t 1qaz2wsx 22222222 55555555 66666666 77777777 87654321 88888888 987654321 99999999 aa123456 aa12345678
    abc12345 abcd1234 abcdefgh adidas11 admin123 administrator asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl baseball
    basketball blackjack butterfly casino123 changeme chelsea1 computer consumer corvette dragon123 einstein facebook
    football football1 freedom1 gambling goodluck google123 hej12345 hejsan123 iloveyou iloveyou1 internet jackpot1
    jennifer jordan23 letmein1 liverpool liverpool1 lösenord lucky777 maverick mercedes michael1 midnight minecraft
    monkey123 mustang1 myspace1 naruto123 p@ssw0rd p@ssword passw0rd password password! password1 password12 password123
    password1234 picture1 pokemon1 poker123 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc qwer1234 qwerasdf qwert123
    qwerty12 qwerty123 qwerty1234 qwertyui qwertyuiop roulette samantha samsung1 secret123 sommar123 starwars sunshine
    sunshine1 superman superman1 sverige1 test1234 testtest trustno1 victoria welcome1 welcome123 whatever winter2026
    x1234567 zaq12wsx zxcvbnm1 zxcvbnm123
    """.split()  # noqa: SIM905
)  # fmt: skip


def email_fault(value: str) -> str | None:
    """What is wrong with an e-mail address, None if nothing is: a plain addr-spec, no comments, quotes or literals."""
    if not value:
        return "Enter your e-mail address."
    if len(value) > MAX_EMAIL or len(value.partition("@")[0]) > 64 or not _EMAIL.fullmatch(value):
        return "Enter an e-mail address like name@example.com."
    return None


def password_fault(value: str, email: str = "") -> str | None:
    """What is wrong with a new password, None if nothing is. Any characters are welcome; only length and fame count."""
    if len(value) < MIN_PASSWORD:
        return f"Use at least {MIN_PASSWORD} characters."
    if len(value) > MAX_PASSWORD:
        return f"Use at most {MAX_PASSWORD} characters."
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        return "Use other characters."
    if value.casefold() in COMMON_PASSWORDS or (email and value.casefold() == email.casefold()):
        return "This password is among the first that are guessed. Choose another."
    return None


def clean_name(value: str) -> str:
    """A name as it is kept: NFC, outer and repeated blanks removed."""
    return " ".join(unicodedata.normalize("NFC", value).split())


def name_fault(value: str) -> str | None:
    """What is wrong with a cleaned name, None if nothing is: letters of any script, marks, blanks and - ' ’ . only."""
    if not value:
        return "Enter your name."
    if len(value) > MAX_NAME:
        return f"Use at most {MAX_NAME} characters."
    if not any(unicodedata.category(c).startswith("L") for c in value):
        return "Enter a name with letters."
    if any(unicodedata.category(c)[0] not in "LM" and c not in " -'’.·" for c in value):
        return "Use letters only."
    return None


def language_fault(value: str) -> str | None:
    """What is wrong with a language tag (`en`, `sv-SE`), None if nothing is."""
    return None if _LANGUAGE.fullmatch(value) else "Choose a language."


def person_text(first_name: str, last_name: str, birth_date: str, country: str) -> str:
    """One person, one text: case, accents, blanks and punctuation of the name do not make another person."""

    def plain(name: str) -> str:
        split = unicodedata.normalize("NFKD", name.casefold())
        return "".join(c for c in split if unicodedata.category(c)[0] in "LN")

    return "\n".join((plain(first_name), plain(last_name), birth_date, country.upper()))


# --- sessions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives: `idle` since it was last seen, `absolute` since sign-in."""

    idle: timedelta
    absolute: timedelta


PLAYER_LIFETIME = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
STAFF_LIFETIME = Lifetime(idle=timedelta(minutes=15), absolute=timedelta(hours=10))
#: A session's `last_seen_at` is written at most this often, so the idle time may end by up to this much early.
SEEN_EVERY = timedelta(minutes=1)


def is_alive(
    now: datetime, lifetime: Lifetime, *, last_seen_at: datetime, expires_at: datetime, ended_at: datetime | None
) -> bool:
    """True before the instant at which the session is idle for too long, too old, or ended; false from it on."""
    return ended_at is None and now < expires_at and now < last_seen_at + lifetime.idle


# --- throttling ------------------------------------------------------------------------------------------------------

MAX_FAILURES = 5
FAILURE_WINDOW = timedelta(minutes=15)


def retry_after_seconds(now: datetime, failed_at: list[datetime]) -> int | None:
    """Seconds until the next try, None if it may be made now. `failed_at`: the failures since the last success."""
    recent = sorted(at for at in failed_at if at > now - FAILURE_WINDOW)
    if len(recent) < MAX_FAILURES:
        return None
    opens_at = recent[-MAX_FAILURES] + FAILURE_WINDOW
    return max(1, -int((now - opens_at).total_seconds() // 1))
