"""Valkey killed and emptied while money moves: nothing acknowledged is lost, nothing is booked twice.

It holds wake-ups, counters and a cache, never the truth. What is true is read from three books that know nothing of one
another: the ledger, the payment provider's and the studio's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import redis

from journeys.conftest import Client, Running, eventually
from journeys.processes import named
from journeys.test_api import deposit, deposit_body, make_ready, prove_identity, register, sign_in_staff, statement

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")

#: Rounds and deposits of each player before, and again after, the loss.
ENOUGH = 6
SETTLED_WITHIN_SECONDS = 45
UNITS = 1_000_000


class Traffic(threading.Thread):
    """A player who deposits and plays without pause until told to stop, and remembers what was acknowledged."""

    def __init__(self, demo: Running, brand: str) -> None:
        super().__init__(daemon=True)
        self.demo, self.brand = demo, brand
        self.client, person = register(demo, brand)
        make_ready(demo, self.client, person, limit="1000000.00")
        if brand == "aurora":  # Malta asks for it beyond EUR 2,000, which is soon reached here
            prove_identity(demo, self.client, person)
        deposit(demo, self.client, "500.00")
        launched = self.client.post("/api/v1/games/lf-midnight-orchard/launch")
        query = parse_qs(urlsplit(launched["launch_url"]).query)
        self.round = {name: query[name][0] for name in ("wallet", "session", "player", "game", "currency")}
        self.body = deposit_body(self.client, "100.00")
        self.deposits: list[str] = []
        self.results: Counter[str] = Counter()
        self.trouble: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                self._once()
        except Exception as error:
            self.trouble.append(repr(error))

    def _once(self) -> None:
        psp, studio = Client(self.demo.facts["sandbox"]["psp"]), Client(self.demo.facts["sandbox"]["studio"])
        made = self.client.post("/api/v1/deposits", self.body, expect=201)
        psp.post(f"/control/payments/{made['redirect_url'].rsplit('/', 1)[1].partition('?')[0]}/pay")
        self.deposits.append(made["id"])
        told = studio.post("/control/spin", {**self.round, "stake": "1.00"})
        self.results[told["result"]] += 1

    def done(self) -> int:
        return min(len(self.deposits), sum(self.results.values()))


def lose_valkey(demo: Running) -> None:
    """Its process dies and its files go with it, so that the supervisor starts an empty one."""
    connection = redis.Redis.from_url(demo.facts["redis_url"])
    connection.set("journeys:before", "1")
    (pid,) = named(demo.process.pid, "valkey-server")
    # Halted first, so that the next one cannot start before the files are gone.
    os.kill(pid, signal.SIGSTOP)
    for entry in (demo.data / "valkey" / "files").iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    os.kill(pid, signal.SIGKILL)
    connection.close()

    def back() -> bool:
        try:
            with redis.Redis.from_url(demo.facts["redis_url"]) as fresh:
                return fresh.ping() and fresh.get("journeys:before") is None
        except redis.RedisError:
            return False

    eventually(back, 20, "an empty Valkey")
    assert named(demo.process.pid, "valkey-server") not in ([], [pid])


def house_units(demo: Running, tenant: str, kinds: str) -> dict[str, int]:
    """Balance of the house's pockets of those kinds by currency, added up from every entry."""
    with psycopg.connect(demo.facts["database_url"]) as connection:
        (schema,) = connection.execute("SELECT schema FROM platform.tenants WHERE slug = %s", (tenant,)).fetchone() or (
            "",
        )
        rows = connection.execute(
            f"SELECT p.currency, sum(e.signed_units) FROM {schema}.journal_entries e JOIN {schema}.pockets p ON p.id = e.pocket_id"
            " WHERE p.is_house AND p.kind ~ %s GROUP BY 1",
            (kinds,),
        ).fetchall()
    return {currency: int(units) for currency, units in rows}


def providers_net(demo: Running, tenant: str) -> dict[str, int]:
    told = Client(demo.facts["sandbox"]["psp"]).get("/control/books")["totals"]
    return {one["currency"]: one["net"] * UNITS // 100 for one in told if one["merchant"] == tenant}


def studios_totals(demo: Running, wallet: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Client(demo.facts["sandbox"]["studio"]).get(f"/control/books?wallet={wallet}")[
        "totals"
    ]
    return found


def books_agree(demo: Running, one: Traffic) -> bool:
    """The ledger's view of provider and studio is theirs, for all players of that operator together."""
    tenant = demo.brand(one.brand)["tenant"]
    gaming = Counter(house_units(demo, tenant, "^(gaming|escrow)$"))
    for total in studios_totals(demo, one.round["wallet"]):
        gaming[total["currency"]] += int(Decimal(total["net"]) * UNITS)
    paid = Counter(house_units(demo, tenant, "^psp:"))
    paid.update(providers_net(demo, tenant))
    return not any(gaming.values()) and not any(paid.values())


def withdraw(one: Traffic, body: dict[str, str]) -> str:
    return str(one.client.post("/api/v1/withdrawals", {**body, "amount": "100.00"}, expect=201)["id"])


def test_valkey_is_lost_while_money_moves(demo: Running):
    players = [Traffic(demo, "aurora"), Traffic(demo, "nordlys")]
    office = {one.brand: sign_in_staff(demo, demo.brand(one.brand)["tenant"], "payments") for one in players}
    waiting = {one.brand: [withdraw(one, one.body) for _ in range(2)] for one in players}
    for one in players:
        one.start()
    try:
        eventually(lambda: all(one.done() >= ENOUGH or one.trouble for one in players), 60, "traffic")
        before = [one.done() for one in players]
        for one in players:
            office[one.brand].post(f"/api/v1/withdrawals/{waiting[one.brand][0]}/approve", {"note": "before"})
        lose_valkey(demo)
        for one in players:
            office[one.brand].post(f"/api/v1/withdrawals/{waiting[one.brand][1]}/approve", {"note": "after"})
        eventually(
            lambda: all(one.done() >= had + ENOUGH or one.trouble for one, had in zip(players, before, strict=True)),
            60,
            "more",
        )
    finally:
        for one in players:
            one.enough.set()
            one.join(30)
    assert [one.trouble for one in players] == [[], []]
    for one in players:
        check(demo, one, waiting[one.brand])
    told = demo.command("ledger", "verify", "--json")
    assert told.returncode == 0 and json.loads(told.stdout)["ok"], told.stdout


def check(demo: Running, one: Traffic, withdrawals: list[str]) -> None:
    until = time.monotonic() + SETTLED_WITHIN_SECONDS
    for reference in one.deposits:
        eventually(
            lambda reference=reference: one.client.get(f"/api/v1/deposits/{reference}")["status"] == "settled",
            max(until - time.monotonic(), 1), f"deposit {reference} of {one.brand}",
        )  # fmt: skip
    for reference in withdrawals:
        eventually(
            lambda reference=reference: one.client.get(f"/api/v1/withdrawals/{reference}")["status"] == "paid",
            max(until - time.monotonic(), 1), f"payout {reference} of {one.brand}",
        )  # fmt: skip
    eventually(
        lambda: books_agree(demo, one), max(until - time.monotonic(), 1), f"three books of {one.brand} that agree"
    )

    lines = statement(one.client)
    kinds = Counter(line["kind"] for line in lines if line["pocket"] == "cash")
    assert kinds["deposit"] == len(one.deposits) + 1, "every deposit once, and the one of the beginning"
    assert kinds["reserve"] == len(withdrawals)
    (studio,) = [total for total in studios_totals(demo, one.round["wallet"]) if total["player"] == one.round["player"]]
    expected = 500 + 100 * len(one.deposits) - 100 * len(withdrawals) + Decimal(studio["net"])
    told = one.client.get("/api/v1/balance")
    assert (Decimal(told["available"]), told["pending"]) == (expected, "0.00")
    assert set(one.results) <= {"settled"}, one.results
