"""What a valid address, name or password is; when a session is over; when the next try to sign in is allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from whitefelt.accounts import permissions, rules
from whitefelt.accounts.rules import PLAYER_LIFETIME, STAFF_LIFETIME

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    "address",
    ["a@b.se", "ada.lovelace+casino@mail.example.com", "o'brien@example.ie", "x_y-z@sub.xn--bcher-kva.example",
     "a" * 64 + "@example.com", "a@" + "b" * 63 + ".com"],
)  # fmt: skip
def test_addresses_that_are_taken(address: str) -> None:
    assert rules.email_fault(address) is None


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@example.com", "ada@localhost", "ada@example", "ada @example.com", "ada@exam ple.com",
     "ada@example.com\n", "ada\x00@example.com", "a..b@example.com", ".a@example.com", "a.@example.com",
     "ada@-example.com", "ada@example-.com", "ada@example.c", "ada@[127.0.0.1]", '"ada"@example.com', "ada@@example.com",
     "åda@example.com", "ada@exämple.com", "a" * 65 + "@example.com", "a@" + "b" * 64 + ".com",
     "a@" + ".".join(["b" * 60] * 5) + ".com", "ada@example.com,eve@example.com", "<ada@example.com>"],
)  # fmt: skip
def test_addresses_that_are_refused(address: str) -> None:
    assert rules.email_fault(address) is not None


def test_an_address_is_at_most_254_long() -> None:
    domain = ".".join(["b" * 60] * 3) + ".com"
    local = "a" * (254 - len(domain) - 1 - 60)
    assert rules.email_fault(f"{local}@{domain}") is None
    assert rules.email_fault(f"{'a' * 64}@{'c' * 60}.{domain}") is not None


@pytest.mark.parametrize("name", ["Ada", "Åsa-Märta", "O’Brien", "D'Arcy", "李", "Мария", "Jean Luc", "Núñez", "J. R."])
def test_names_of_any_script(name: str) -> None:
    assert rules.name_fault(rules.clean_name(name)) is None


@pytest.mark.parametrize(
    "name", ["", "   ", "Ada\x00", "Ada\u202e", "4da", "<b>", "-", "Ada\u200b", "a" * 81, "😀", "A;B"]
)
def test_names_that_are_no_names(name: str) -> None:
    assert rules.name_fault(rules.clean_name(name)) is not None


def test_names_are_kept_composed_and_trimmed() -> None:
    assert rules.clean_name("  A\u030asa \t Maria ") == "Åsa Maria"
    assert rules.name_fault("a" * 80) is None


@pytest.mark.parametrize("length, good", [(7, False), (8, True), (9, True), (127, True), (128, True), (129, False)])
def test_password_lengths(length: int, good: bool) -> None:
    assert (rules.password_fault(("xK7" * 50)[:length]) is None) is good


@pytest.mark.parametrize("password", ["password", "PassWord1", "12345678", "qwertyuiop", "iloveyou", "ada@example.com"])
def test_passwords_that_are_guessed_first(password: str) -> None:
    assert rules.password_fault(password, "Ada@example.com") is not None
    assert rules.password_fault(password + " and a cat", "Ada@example.com") is None


def test_every_listed_password_could_otherwise_be_chosen() -> None:
    """A shorter one in the list would be dead weight."""
    assert all(len(one) >= rules.MIN_PASSWORD and one == one.casefold() for one in rules.COMMON_PASSWORDS)


@pytest.mark.parametrize(
    "first, last",
    [("Ada", "Lovelace"), ("ADA", "lovelace"), (" Ada ", "Love lace"), ("Àda", "Lovelaçe"), ("A-da", "Love'lace")],
)
def test_one_person_however_typed(first: str, last: str) -> None:
    assert rules.person_text(first, last, "1990-01-01", "mt") == rules.person_text(
        "Ada", "Lovelace", "1990-01-01", "MT"
    )


@pytest.mark.parametrize(
    "other",
    [("Ada", "Lovelaces", "1990-01-01", "MT"), ("Ida", "Lovelace", "1990-01-01", "MT"),
     ("Ada", "Lovelace", "1990-01-02", "MT"), ("Ada", "Lovelace", "1990-01-01", "SE"),
     ("AdaL", "ovelace", "1990-01-01", "MT")],
)  # fmt: skip
def test_another_person(other: tuple[str, str, str, str]) -> None:
    assert rules.person_text(*other) != rules.person_text("Ada", "Lovelace", "1990-01-01", "MT")


@pytest.mark.parametrize(
    "lifetime, idle, absolute",
    [(PLAYER_LIFETIME, timedelta(minutes=30), timedelta(hours=12)),
     (STAFF_LIFETIME, timedelta(minutes=15), timedelta(hours=10))],
)  # fmt: skip
def test_the_exact_instants_at_which_a_session_ends(
    lifetime: rules.Lifetime, idle: timedelta, absolute: timedelta
) -> None:
    def alive(at: datetime, seen: datetime) -> bool:
        return rules.is_alive(at, lifetime, last_seen_at=seen, expires_at=NOON + lifetime.absolute, ended_at=None)

    assert alive(NOON + idle - TICK, NOON)
    assert not alive(NOON + idle, NOON)
    end = NOON + absolute
    assert alive(end - TICK, end - TICK)
    assert not alive(end, end - TICK)


def test_an_ended_session_is_over_whatever_the_time() -> None:
    ends = NOON + timedelta(hours=12)
    assert not rules.is_alive(NOON, PLAYER_LIFETIME, last_seen_at=NOON, expires_at=ends, ended_at=NOON)
    assert rules.is_alive(NOON, PLAYER_LIFETIME, last_seen_at=NOON, expires_at=ends, ended_at=None)


def test_five_failures_within_fifteen_minutes_close_the_door() -> None:
    failed = [NOON + timedelta(minutes=i) for i in range(5)]
    assert rules.retry_after_seconds(NOON + timedelta(minutes=4), failed[:4]) is None
    assert rules.retry_after_seconds(NOON + timedelta(minutes=4), failed) == 11 * 60
    assert rules.retry_after_seconds(NOON + timedelta(minutes=15) - TICK, failed) == 1
    assert rules.retry_after_seconds(NOON + timedelta(minutes=15), failed) is None


def test_roles_hold_known_permissions_only_and_an_unknown_role_holds_none() -> None:
    assert all(held <= set(permissions.PERMISSIONS) for held in permissions.ROLES.values())
    assert set(permissions.ROLES) == {
        "operations", "payments", "compliance", "support", "finance", "product", "security", "auditor"
    }  # fmt: skip
    assert permissions.permissions_of("owner") == frozenset()
    assert all(held <= set(permissions.SUPPLIER_PERMISSIONS) for held in permissions.SUPPLIER_ROLES.values())


@pytest.mark.parametrize(
    "permission, roles",
    [("withdrawals.decide", {"payments"}),
     ("players.pii", {"payments", "compliance"}),
     ("audit.read", {"compliance", "security", "auditor"}),
     ("deliveries.retry", {"operations", "payments"}),
     ("limits.write", {"compliance"}),
     ("staff.write", {"security"})],
)  # fmt: skip
def test_who_holds_what_is_dangerous(permission: str, roles: set[str]) -> None:
    assert {role for role, held in permissions.ROLES.items() if permission in held} == roles


def test_an_auditor_reads_and_changes_nothing() -> None:
    assert all(name.endswith(".read") for name in permissions.ROLES["auditor"])
    assert "players.pii" not in permissions.ROLES["auditor"]


def test_nobody_makes_and_checks_an_adjustment() -> None:
    for held in permissions.ROLES.values():
        assert not {"adjustments.make", "adjustments.check"} <= held
