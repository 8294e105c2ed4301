"""Callbacks of vendors and probes: the signature and the integration's id say who is meant, never the host."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from isolation.world import FORGED, PASSWORD, SUPPLIER_HOST, Site, World
from isolation.written import Written
from whitefelt.cashier.models import DepositRow
from whitefelt.kernel.db import unit_of_work

PAIRS = [("alpha", "bravo"), ("bravo", "alpha")]


def tell_play(site: Site, to: World, raw: bytes, headers: dict[str, str], kind: str = "bet") -> tuple[int, Any]:
    path = f"/callbacks/play/{to.integration('play').public_id}/{kind}"
    answer = site.ask(
        "provider.example", "POST", path, raw=raw, headers={**headers, "Content-Type": "application/json"}
    )
    return answer.status_code, answer.get_json(force=True)


def tell_pay(site: Site, to: World, raw: bytes, headers: dict[str, str]) -> int:
    path = f"/callbacks/pay/{to.integration('pay').public_id}"
    return site.ask(
        "provider.example", "POST", path, raw=raw, headers={**headers, "Content-Type": "application/json"}
    ).status_code


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_studio_reaches_only_whom_it_signs_for(site: Site, worlds: dict[str, World], mine: str, theirs: str) -> None:
    own, other = worlds[mine], worlds[theirs]
    written, cash = Written(own.tenant), (own.cash(), other.cash())
    before = written.now()
    bet = own.play_message()
    # The other operator's key and secret, at this operator's address; and no signature at all.
    assert tell_play(site, own, bet, other.play_headers(bet))[0] == 401
    assert tell_play(site, own, bet, {})[0] == 401
    # Rightly signed for the other operator, but about this one's player, session or both. That refusal is the other
    # operator's to remember; here, nothing is written.
    for changed in ({}, {"session": other.play.token}, {"player": other.player.account.public_id}):
        raw = own.play_message(currency=other.player.account.currency, **changed)
        status, told = tell_play(site, other, raw, other.play_headers(raw))
        assert (status, told["code"]) in ((404, "player_unknown"), (403, "session_unknown")), (changed, told)
    # An address that is nobody's, and the other kind of address.
    for path in ("/callbacks/play/nobody/bet", f"/callbacks/play/{own.integration('pay').public_id}/bet"):
        answer = site.ask("provider.example", "POST", path, raw=bet, headers=own.play_headers(bet))
        assert answer.status_code == 404, answer.text
    assert written.since(before) == {} and (own.cash(), other.cash()) == cash
    # Rightly: booked once, on the other operator's host as well as on any.
    status, told = tell_play(site, own, bet, own.play_headers(bet))
    assert (status, told["status"]) == (200, "ok"), told
    assert own.cash() < cash[0] and other.cash() == cash[1]


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_payment_provider_reaches_only_whom_it_signs_for(
    site: Site, worlds: dict[str, World], mine: str, theirs: str
) -> None:
    own, other = worlds[mine], worlds[theirs]
    started = own.desk.start(own.player.account, own.amount(20))
    raw = own.pay_message(started.public_id, started.vendor_id)
    watched, cash = Written(own.tenant), own.cash()
    before = watched.now()
    assert tell_pay(site, own, raw, other.desk.signed(raw)) == 401
    assert tell_pay(site, own, raw, {}) == 401
    assert tell_pay(site, other, raw, own.desk.signed(raw)) == 401
    # Rightly signed for the other operator about this one's deposit: kept there, applied there, and nothing comes of it here.
    assert tell_pay(site, other, raw, other.desk.signed(raw)) in (200, 202)
    other.desk.apply(started.public_id)
    assert watched.since(before) == {} and own.cash() == cash and status_of(own, started.public_id) == started.status
    assert status_of(other, started.public_id) is None
    # Rightly: credited.
    own.desk.pay(started)
    own.desk.heard(started.public_id)
    assert status_of(own, started.public_id) == "settled" and own.cash() > cash


def status_of(world: World, deposit: str) -> str | None:
    with unit_of_work(world.tenant) as work:
        return work.session.scalar(select(DepositRow.status).where(DepositRow.public_id == deposit))


def test_probes_tell_nothing_of_operators(site: Site, worlds: dict[str, World]) -> None:
    for path in ("/healthz", "/readyz"):
        answers = [site.ask(host, "GET", path) for host in ("alpha.localhost", "bravo.localhost", "nobody.localhost")]
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        for world in worlds.values():
            assert world.slug not in answers[0].text and world.tenant.schema not in answers[0].text


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_credentials_open_one_operators_doors(site: Site, worlds: dict[str, World], mine: str, theirs: str) -> None:
    """Right e-mail and password at the other operator's site, at its office, at the supplier's; and where they belong."""
    own, other = worlds[mine], worlds[theirs]
    player = {"email": own.player.account.email, "password": PASSWORD}
    staff = {"email": own.payments.account.email, "password": PASSWORD}
    supplier = {"email": own.supplier.account.email, "password": PASSWORD}
    api, page = "/api/v1/sessions", "/sign-in"
    for told, hosts in (
        (player, (other.host, own.second_host, own.office, other.office)),
        (staff, (other.office, own.host, other.host)),
        (supplier, (own.office, own.host)),
    ):
        for host in hosts:
            wrong = site.ask(host, "POST", api, body=told)
            absent = site.ask(host, "POST", api, body={**told, "email": f"nobody.{host}@example.com"})
            assert wrong.status_code == absent.status_code == 401, (host, wrong.text)
            assert wrong.get_json()["code"] == absent.get_json()["code"]
    for told in (player, staff):
        assert site.ask(SUPPLIER_HOST, "POST", page, form=told).status_code == 401
    assert site.ask(own.host, "POST", api, body=player).status_code == 201
    assert site.ask(own.office, "POST", api, body=staff).status_code == 201
    assert site.ask(SUPPLIER_HOST, "POST", page, form=supplier).status_code == 303


def test_a_session_that_ended_opens_nothing(site: Site, worlds: dict[str, World]) -> None:
    own = worlds["alpha"]
    caller = own.new_player()
    assert site.ask(own.host, "GET", "/api/v1/me", caller).status_code == 200
    assert site.ask(own.host, "DELETE", "/api/v1/sessions/current", caller).status_code == 204
    for used in (caller, FORGED):
        assert site.ask(own.host, "GET", "/api/v1/me", used).status_code == 401
        assert site.ask(own.host, "GET", "/account", used, by="cookie").headers["Location"].startswith("/sign-in")
