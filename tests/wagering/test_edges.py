"""Messages at the edges: they name themselves, come while the database is away, or while their session ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import event

from wagering.conftest import Studio
from whitefelt import cashier, tenancy, wagering
from whitefelt.kernel import db, settings
from whitefelt.kernel.db import money_work


def test_a_refund_that_names_itself_is_refused_for_good_and_moves_nothing(studio: Studio):
    """Its tombstone took the refund's own key, so that the refund itself could never be written: the provider was told to
    try again (503), for ever."""
    status, told = studio.refund("itself", transaction_id="itself")
    assert (status, told["code"], told["retryable"]) == (409, "reference_invalid", False)
    assert studio.bet("1", transaction_id="itself", round_id="r-itself")[0] == 200, "nothing was remembered of it"
    assert studio.refund("itself", transaction_id="itself")[1]["code"] == "transaction_conflict"
    assert studio.refund("itself", transaction_id="another")[0] == 200
    assert studio.balance() == "100.00"


@contextmanager
def nobody_connects(login: str) -> Iterator[None]:
    """The database refuses that login, as while it restarts; afterwards everything is as before."""
    name = sql.Identifier(settings.current().login(login))
    with psycopg.connect(settings.current().databases["default"], autocommit=True) as admin:
        db.dispose()
        tenancy.forget()
        admin.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 0").format(name))
        try:
            yield
        finally:
            admin.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(name))
            tenancy.forget()


def test_a_message_that_finds_no_database_is_to_be_sent_again(studio: Studio):
    """Looking the integration up failed with an error of SQLAlchemy's that nobody caught: the provider got a bare 500."""
    with nobody_connects("app"):
        reply = wagering.receive(studio.integration.public_id, "bet", {}, b"{}")
        assert reply.status == 503 and b"temporarily_unavailable" in reply.body
        assert cashier.receive(studio.integration.public_id, {}, b"{}")[0] == 503


def test_bets_go_on_as_soon_as_the_database_is_back(studio: Studio):
    """The pool doubled its pauses between attempts for five minutes: after an outage of a minute, every bet waited its five
    seconds and was told to come again for up to another minute, with the database long back."""
    assert studio.bet("1")[0] == 200
    began = time.monotonic()
    with nobody_connects("money"):
        assert studio.bet("1")[1]["code"] == "temporarily_unavailable"
        time.sleep(max(0.0, 8.2 - (time.monotonic() - began)))
    back = time.monotonic()
    assert studio.bet("1")[0] == 200
    assert time.monotonic() - back < 2


@pytest.mark.parametrize("public_id", ["a\x00b", "", "\xff\xfe", "x" * 5000, "../../etc"])
def test_an_address_that_was_never_given_out_is_unknown_without_asking_the_database(platform, public_id: str):
    """A NUL in the path reached the driver, which raised through both callbacks."""
    assert wagering.receive(public_id, "bet", {}, b"{}").status == 404
    assert cashier.receive(public_id, {}, b"{}")[0] == 404


def test_a_session_that_ends_while_a_bet_reads_it_is_not_remembered_as_running(studio: Studio, alpha):
    """The session was read before the version of the terms: when it ended between the two, the old session was remembered
    under the new version, and the wallet had no reason to refuse its bets for as long as it was remembered."""
    app = db.engine("app", alpha.alias)
    opened: list[str] = []

    def end_it_now(_connection, _cursor, statement: str, *_: object) -> None:
        if "FROM play_sessions" in statement and not opened:
            opened.append("")
            with money_work(alpha) as work:
                opened[0] = wagering.open_session(work, studio.player, studio.integration, studio.game).token

    event.listen(app, "after_cursor_execute", end_it_now)
    try:
        # Read before it ended: as if the bet had come a moment earlier, or refused, but never remembered as running.
        studio.bet("1", transaction_id="meanwhile")
    finally:
        event.remove(app, "after_cursor_execute", end_it_now)
    assert opened and studio.bet("1")[1]["code"] == "session_unknown"
    studio.session = opened[0]
    assert studio.bet("1")[0] == 200
