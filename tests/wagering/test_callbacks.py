"""The native play protocol from the wire to the journal: what docs/protocols/native-play.md promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from wagering.conftest import Studio, open_studio
from whitefelt import compliance, wagering
from whitefelt.kernel import clock
from whitefelt.kernel.db import money_work, unit_of_work


def test_a_round_over_the_wire(studio: Studio):
    assert studio.balance() == "100.00"
    status, told = studio.bet("10.00")
    assert (status, told["status"], told["balance"], told["replayed"]) == (200, "ok", "90.00", False)
    status, told = studio.win("18.00")
    assert (status, told["balance"]) == (200, "108.00")
    assert studio.balance() == "108.00"


def test_a_repeated_message_gets_the_first_answer(studio: Studio):
    first = studio.bet("10.00", transaction_id="same")
    studio.bet("5")
    again = studio.bet("10.00", transaction_id="same")
    assert again[1]["replayed"] is True
    assert {**again[1], "replayed": False} == first[1]
    assert studio.balance() == "85.00"


def test_the_same_id_with_other_data_is_refused(studio: Studio):
    studio.bet("10.00", transaction_id="clash")
    for other in ({"amount": "10.01"}, {"round_id": "r-2"}, {"game": "lf-other"}):
        status, told = studio.send("bet", studio.body("bet", amount="10.00", transaction_id="clash") | other)
        assert (status, told["code"]) == (409, "transaction_conflict"), other
    assert studio.win("1", transaction_id="clash")[1]["code"] == "transaction_conflict"
    assert studio.balance() == "90.00"


def test_an_equal_amount_in_other_words_is_the_same_message(studio: Studio):
    studio.bet("10.00", transaction_id="words")
    assert studio.bet("10", transaction_id="words")[1]["replayed"] is True


def test_a_refusal_is_remembered_and_tells_the_balance(studio: Studio):
    status, told = studio.bet("100.01", transaction_id="too-much")
    assert (status, told["code"], told["balance"], told["retryable"]) == (402, "insufficient_funds", "100.00", False)
    assert studio.bet("100.01", transaction_id="too-much")[1]["replayed"] is True
    assert studio.bet("100.00")[0] == 200


def test_signature_key_and_time_are_checked_before_anything_is_read(studio: Studio):
    body = studio.body("bet", amount="1")
    assert studio.send("bet", body, secret="wrong")[1]["code"] == "signature_invalid"
    assert studio.send("bet", body, key="wrong")[1]["code"] == "signature_invalid"
    now = int(clock.now().timestamp())
    for offset in (-301, 301):
        assert studio.send("bet", body, at=now + offset)[1]["code"] == "timestamp_out_of_range"
    assert studio.send("bet", b"rubbish", secret="wrong")[1]["code"] == "signature_invalid"
    assert studio.balance() == "100.00"
    assert studio.send("bet", body, at=now - 290)[0] == 200


def test_another_tenants_key_opens_nothing(studio: Studio, bravo):
    other = open_studio(bravo, "bravo.localhost")
    body = studio.body("bet", amount="1")
    status, told = studio.send(
        "bet", body, secret=other.integration.secrets["secret"], key=other.integration.secrets["key_id"]
    )
    assert (status, told["code"]) == (401, "signature_invalid")
    stolen = Studio(other.integration, studio.player, studio.session)
    assert stolen.bet("1")[1]["code"] == "player_unknown"
    assert studio.bet("1")[0] == 200


@pytest.mark.parametrize("broken", [
    {"amount": 1}, {"amount": "-1"}, {"amount": "1e3"}, {"amount": "NaN"}, {"amount": " 1"}, {"amount": "1,0"}, {"amount": None},
    {"amount": "٣"}, {"amount": "9" * 40}, {"transaction_id": ""}, {"transaction_id": "x" * 129}, {"transaction_id": 7}, {"round_id": None},
    {"player": ["a"]}, {"type": "win"}, {"round_closed": "yes"}, {"game": {"a": 1}},
])  # fmt: skip
def test_rubbish_is_refused_and_not_remembered(studio: Studio, broken: dict):
    body = {**studio.body("bet", amount="1", transaction_id="retry-me"), **broken}
    status, told = studio.send("bet", body)
    assert (status, told["code"], told["retryable"]) == (400, "body_invalid", False)
    assert studio.balance() == "100.00"


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"type":' + b"[" * 50_000])
def test_bodies_that_are_no_objects(studio: Studio, raw: bytes):
    assert studio.send("bet", raw)[1]["code"] == "body_invalid"


def test_amounts_finer_than_the_ledger_are_refused_and_its_finest_is_kept(studio: Studio):
    assert studio.bet("0.0000001")[1]["code"] == "amount_too_fine"
    assert studio.bet("0.000001")[1]["balance"] == "99.999999"


def test_unknown_fields_are_ignored_but_signed(studio: Studio):
    assert studio.bet("1", promo={"x": [1, 2]})[0] == 200


def test_who_and_where_must_fit(studio: Studio, alpha):
    assert studio.bet("1", player="6f9619ff-8b86-7011-b42d-00cf4fc964ff")[1]["code"] == "player_unknown"
    assert studio.bet("1", player="nobody")[1]["code"] == "player_unknown"
    assert studio.bet("1", currency="SEK")[1]["code"] == "currency_mismatch"
    assert studio.bet("1", currency="XXX")[1]["code"] == "currency_mismatch"
    assert studio.bet("1", session="unknown")[1]["code"] == "session_unknown"
    assert studio.bet("1", game="lf-other")[1]["code"] == "session_unknown"
    other = open_studio(alpha, "alpha.localhost")
    assert studio.bet("1", session=other.session)[1]["code"] == "session_unknown"
    assert studio.send("unknown", studio.body("bet", amount="1"))[1]["code"] == "operation_unknown"
    assert wagering.receive("nosuchintegration", "bet", {}, b"{}").status == 404
    assert studio.bet("1")[0] == 200


def test_an_expired_session_takes_no_bet_but_its_win_is_paid(studio: Studio):
    studio.bet("10", transaction_id="before")
    wagering.sessions.forget()
    with clock.frozen(clock.now() + timedelta(hours=13)):
        later = int(clock.now().timestamp())
        expired = studio.send("bet", studio.body("bet", amount="1"), at=later)
        assert expired[1]["code"] == "session_expired"
        again = studio.send("bet", studio.body("bet", amount="10", transaction_id="before"), at=later)
        assert again[1]["replayed"] is True and again[0] == 200, (
            "an accepted bet is replayed whatever became of its session"
        )
        assert studio.send("win", studio.body("win", amount="5", round_closed=True, session=None), at=later)[0] == 200
    wagering.sessions.forget()
    assert studio.balance() == "95.00"


def test_a_session_that_was_replaced_takes_no_bet_at_once_though_it_is_remembered(studio: Studio, alpha):
    assert studio.bet("1")[0] == 200
    with money_work(alpha) as work:
        renewed = wagering.open_session(work, studio.player, studio.integration, studio.game)
    assert studio.bet("1")[1]["code"] == "session_unknown"
    studio.session = renewed.token
    assert studio.bet("1")[0] == 200


def test_a_player_who_may_play_again_may_play_at_once(studio: Studio, alpha):
    with money_work(alpha) as work:
        compliance.block_player(work, studio.player.id, "test")
    assert studio.bet("1")[1]["code"] == "stakes_not_allowed"
    with money_work(alpha) as work:
        compliance.unblock_player(work, studio.player.id, "test")
    assert studio.bet("1")[0] == 200


def test_an_excluded_player_cannot_bet_at_once_and_still_gets_what_is_owed(studio: Studio, alpha):
    studio.bet("10", transaction_id="open-bet")
    with money_work(alpha) as work:
        compliance.exclude(work, studio.player, "time_out", clock.now() + timedelta(days=1))
    assert studio.bet("1")[1]["code"] == "stakes_not_allowed"
    assert studio.win("3", round_closed=False)[0] == 200
    assert studio.refund("open-bet")[0] == 200
    wagering.sessions.forget()
    assert studio.bet("1")[1]["code"] in ("stakes_not_allowed", "session_unknown")


def test_without_limit_and_identity_no_stake_in_sweden(bravo):
    swede = open_studio(bravo, "bravo.localhost")
    assert swede.bet("1")[1]["code"] == "stakes_not_allowed"


def test_refunds(studio: Studio):
    studio.bet("10", transaction_id="b1")
    status, told = studio.refund("b1", transaction_id="x1")
    assert (status, told["balance"]) == (200, "100.00")
    assert studio.refund("b1", transaction_id="x2")[1]["balance"] == "100.00"
    assert studio.refund("b1", transaction_id="x1")[1]["replayed"] is True
    assert studio.refund("never-seen")[0] == 200
    status, told = studio.bet("1", transaction_id="never-seen", round_id="r-9")
    assert (status, told["code"]) == (409, "transaction_rolled_back")
    studio.bet("5", transaction_id="b2", round_id="r-2")
    studio.win("7", transaction_id="w2", round_id="r-2")
    assert studio.refund("w2")[1]["code"] == "reference_invalid"
    assert studio.balance() == "102.00"


def test_rounds_open_and_close(studio: Studio):
    status, told = studio.win("5", round_id="unopened", transaction_id="early")
    assert (status, told["code"], told["retryable"]) == (409, "round_unknown", True)
    studio.bet("1", round_id="unopened")
    assert studio.win("5", round_id="unopened", transaction_id="early")[0] == 200, "the same win, once its bet is there"
    assert studio.bet("1", round_id="unopened")[1]["code"] == "round_closed"
    assert studio.win("2", round_id="unopened")[0] == 200, "money owed is always paid"
    assert studio.balance() == "106.00"


def test_rounds_are_told_to_the_player(studio: Studio, alpha):
    from whitefelt import wallet

    studio.bet("10", round_id="told")
    studio.win("18", round_id="told")
    studio.bet("2", round_id="open")
    with unit_of_work(alpha) as work:
        pockets = wallet.find_pockets(work, studio.player.owner, "EUR")
        newest, older = wagering.rounds(work, pockets)
    assert (newest.ref, newest.status, str(newest.held)) == ("open", "open", "2.00 EUR")
    assert (older.ref, older.status, str(older.net), older.game) == ("told", "closed", "8.00 EUR", "lf-test")


def test_a_provider_that_is_switched_off_takes_no_bets_and_is_still_paid_what_is_owed(studio: Studio, alpha):
    from sqlalchemy import text

    from whitefelt import tenancy
    from whitefelt.kernel.db import platform_work

    def switch(status: str) -> None:
        with platform_work() as work:
            work.session.execute(
                text(f"UPDATE platform.integrations SET status = '{status}' WHERE id = {studio.integration.id}")
            )
        tenancy.forget()

    studio.bet("10", round_id="cut")
    try:
        switch("stopped")
        assert studio.bet("1")[1]["code"] == "stakes_not_allowed"
        assert studio.win("18", round_id="cut")[0] == 200
    finally:
        switch("active")
    assert studio.balance() == "108.00"
    assert studio.bet("1")[0] == 200


def test_strangers_cannot_use_up_a_providers_share_but_the_provider_can(studio: Studio, monkeypatch):
    monkeypatch.setattr(wagering.callbacks, "MAX_PER_SECOND", 0)
    body = studio.body("bet", amount="1")
    assert studio.send("bet", body, secret="wrong")[1]["code"] == "signature_invalid"
    status, told = studio.send("bet", body)
    assert (status, told["code"], told["retryable"]) == (429, "rate_limited", True)
    monkeypatch.undo()
    assert studio.send("bet", body)[0] == 200, "what was put off is not remembered as refused"


def test_a_callback_that_breaks_inside_may_be_sent_again(studio: Studio):
    from sqlalchemy import text
    from werkzeug.test import Client

    from whitefelt import tenancy
    from whitefelt.app import create_app
    from whitefelt.kernel.db import platform_work

    def seal(value: str) -> str:
        with platform_work() as work:
            row = {"value": value, "id": studio.integration.id}
            was = work.session.scalar(text("SELECT sealed_secrets FROM platform.integrations WHERE id = :id"), row)
            work.session.execute(text("UPDATE platform.integrations SET sealed_secrets = :value WHERE id = :id"), row)
        tenancy.forget()
        return str(was)

    client, path = Client(create_app()), f"/callbacks/play/{studio.integration.public_id}/bet"
    assert client.post(path, data=b"{}").json["code"] == "signature_invalid"
    kept = seal("v1:broken")
    try:
        answer = client.post(path, data=b"{}")
        assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (
            503,
            "temporarily_unavailable",
            True,
        )
    finally:
        seal(kept)
    assert studio.bet("1")[0] == 200


def test_too_large_a_body_is_answered_in_the_protocols_shape(studio: Studio):
    reply = wagering.receive(studio.integration.public_id, "bet", {}, None)
    assert reply.status == 413 and b"body_too_large" in reply.body
