"""`whitefelt demo` as a program: what it prints, what it starts, how it ends, what it keeps, and what it refuses.

Starts are dear, so the tests share one; the last of those that share it kills it. Order matters here.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from journeys.conftest import Client, Running, clean_environment, free_port, fresh_folder, start_demo
from journeys.processes import below, gone_within, named
from journeys.test_api import deposit, make_ready, money, play, register, statement
from whitefelt.kernel.embedded import start_postgres, start_valkey

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")

READY_WITHIN_SECONDS = 60
ENDED_WITHIN_SECONDS = 10
BRAND = {"tenant": str, "brand": str, "jurisdiction": str, "currency": str, "url": str, "openapi": str, "players": list}
SHAPE = {
    "ready": bool, "pid": int, "data": str, "brands": list, "backoffice": list, "supplier": dict, "integrations": list,
    "sandbox": dict, "database_url": str, "redis_url": str,
}  # fmt: skip


@dataclass
class Started:
    """The shared start and how long it took."""

    running: Running
    seconds: float


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    data = fresh_folder()
    began = time.monotonic()
    running = start_demo(data, "--port", str(free_port()))
    yield Started(running, time.monotonic() - began)
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(30)
    shutil.rmtree(data.parent, ignore_errors=True)


def whitefelt(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "whitefelt", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**clean_environment(), **environment},
    )  # fmt: skip


def typed(told: dict[str, Any], shape: dict[str, type]) -> None:
    assert {name: type(told[name]) for name in shape} == shape


def test_tells_where_everything_is(started: Started):
    told = started.running.facts
    typed(told, SHAPE)
    assert set(told) == set(SHAPE)
    assert told["ready"] is True
    assert told["pid"] == started.running.process.pid
    assert told["data"] == str(started.running.data)
    assert started.seconds < READY_WITHIN_SECONDS
    for brand in told["brands"]:
        typed(brand, BRAND)
        assert all(set(one) == {"email", "password"} for one in brand["players"]) and brand["players"]
        assert urlsplit(brand["url"]).hostname == f"{brand['brand']}.localhost"
    assert [(one["brand"], one["jurisdiction"], one["currency"]) for one in told["brands"]] == [
        ("aurora", "MT", "EUR"), ("nordlys", "SE", "SEK"),
    ]  # fmt: skip
    for office in [*told["backoffice"], {"tenant": "", **told["supplier"]}]:
        typed(office, {"tenant": str, "url": str, "staff": list})
        assert all(set(one) == {"email", "password", "role"} for one in office["staff"]) and office["staff"]
    for one in told["integrations"]:
        typed(one, {"tenant": str, "vendor": str, "kind": str, "callback_url": str, "credentials": dict})
    assert {one["kind"] for one in told["integrations"]} >= {"play", "pay", "kyc"}
    assert {"studio", "psp", "eid", "mail"} <= set(told["sandbox"])


def test_every_address_and_login_works(started: Started):
    told = started.running.facts
    for brand in told["brands"]:
        client = Client(brand["url"])
        assert client.call("GET", urlsplit(brand["openapi"]).path)[0] == 200
        for player in brand["players"]:
            client.token = client.post("/api/v1/sessions", player, expect=201)["token"]
            assert money(client) == ("1000.00", "0.00")
    for office in told["backoffice"]:
        client = Client(office["url"])
        for one in office["staff"]:
            known = {name: one[name] for name in ("email", "password")}
            client.token = client.post("/api/v1/sessions", known, expect=201)["token"]
            assert client.get("/api/v1/me")
    for url in (told["supplier"]["url"], *told["sandbox"].values()):
        assert Client(url).call("GET", "/")[0] in (200, 302, 303)


def test_answers_by_host_and_refuses_unknown_ones(started: Started):
    parts = urlsplit(started.running.brand("aurora")["url"])
    client = Client(f"http://{parts.netloc}")
    assert client.get("/api/v1/site")["currency"] == "EUR"
    assert client.call("GET", "/api/v1/site", Host=str(parts.hostname))[0] == 200
    status, told = Client(f"http://somebody-else.localhost:{parts.port}").call("GET", "/api/v1/site")
    assert (status, told["code"]) == (421, "host_unknown")


def test_the_auditors_login_reads_every_tenant_and_writes_nowhere(started: Started):
    facts = started.running.facts
    with psycopg.connect(facts["database_url"], autocommit=True) as connection:
        schemas = [row[0] for row in connection.execute("SELECT schema FROM platform.tenants ORDER BY 1").fetchall()]
        assert len(schemas) == len(facts["backoffice"])
        for schema in schemas:
            assert connection.execute(f"SELECT count(*) FROM {schema}.journal").fetchone()[0] > 0
            assert connection.execute(f"SELECT count(*) FROM {schema}.players").fetchone()[0] >= 2
            for change in (
                f"DELETE FROM {schema}.players",
                f"UPDATE {schema}.pockets SET balance_units = balance_units + 1",
            ):
                with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                    connection.execute(change)
                # Not only by a default that a session may change.
                connection.execute("SET default_transaction_read_only = off")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(change)
                connection.execute("RESET default_transaction_read_only")


def test_other_commands_find_it_by_option_and_by_environment(started: Started):
    data = str(started.running.data)
    known = [("status", "--json"), ("ledger", "verify", "--json"), ("tenant", "list"), ("db", "upgrade")]
    asked = [(one, whitefelt(*one, "--data", data)) for one in known]
    asked += [(one, whitefelt(*one, WHITEFELT_DATA=data)) for one in known[:2]]
    for one, process in asked:
        told, errors = process.communicate(timeout=120)
        assert process.returncode == 0, (one, errors)
        if "--json" in one:
            assert isinstance(json.loads(told), dict)
        else:
            assert "polaris" in told and "solstice" in told
    nowhere = whitefelt("status", "--data", str(started.running.data.parent / "nobody"))
    _, errors = nowhere.communicate(timeout=60)
    assert nowhere.returncode == 2
    assert "No Whitefelt runs on the data folder" in errors


def test_a_second_one_on_the_same_folder_is_refused_with_a_sentence(started: Started):
    second = whitefelt("demo", "--data", str(started.running.data), "--json")
    told, errors = second.communicate(timeout=60)
    assert (second.returncode, told) == (2, "")
    assert "already runs on the data folder" in errors and "Traceback" not in errors
    assert Client(started.running.brand("aurora")["url"]).get("/api/v1/site")


def test_production_refuses_the_demo_and_its_vendors(tmp_path: Path):
    demo = whitefelt("demo", "--data", str(tmp_path / "data"), "--json", WHITEFELT_ENV="production")
    vendors = [
        subprocess.Popen(
            [sys.executable, "-m", f"whitefelt.sandbox.{name}", "--port", "0", "--data", str(tmp_path / name)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**clean_environment(), "WHITEFELT_ENV": "production"},
        )
        for name in ("studio", "psp", "eid", "mail")
    ]  # fmt: skip
    for process in (demo, *vendors):
        told, errors = process.communicate(timeout=60)
        assert process.returncode not in (0, None) and told == ""
        assert "production" in errors and "Traceback" not in errors


def test_killed_leaves_nothing_behind_and_the_next_start_keeps_everything(started: Started):
    running = started.running
    client, person = register(running, "nordlys")
    make_ready(running, client, person)
    deposit(running, client)
    play(running, client, "2.00", "10.00")
    method = client.get("/api/v1/payment-methods")["items"][0]["code"]
    client.post("/api/v1/withdrawals", {"method": method, "amount": "60.00"}, expect=201)
    had = statement(client)
    assert money(client) == ("48.00", "60.00")

    family = below(running.process.pid)
    assert all(named(running.process.pid, one) for one in ("postgres", "valkey-server", "granian"))
    running.process.kill()
    assert gone_within(family, ENDED_WITHIN_SECONDS) == []
    assert running.process.stdout is not None and running.process.stdout.read() in (b"", None), "one object and no more"

    again = start_demo(running.data, "--port", str(free_port()))
    try:
        back = Client(again.brand("nordlys")["url"])
        known = {name: person[name] for name in ("email", "password")}
        back.token = back.post("/api/v1/sessions", known, expect=201)["token"]
        assert money(back) == ("48.00", "60.00")
        assert statement(back) == had
        assert again.brand("aurora")["players"] == running.brand("aurora")["players"]
        assert again.facts["integrations"][0]["credentials"] == running.facts["integrations"][0]["credentials"]
        play(again, back, "1.00", "3.00")
        assert again.command("ledger", "verify").returncode == 0
    finally:
        ends(again, signal.SIGINT)


def ends(running: Running, number: signal.Signals) -> None:
    """Everything that it started is gone within ten seconds of the signal, and it said no more than one object."""
    family = below(running.process.pid)
    assert len(family) > 10
    began = time.monotonic()
    running.process.send_signal(number)
    running.process.wait(30)
    assert time.monotonic() - began < ENDED_WITHIN_SECONDS
    assert running.process.returncode == 0
    assert gone_within(family, 0) == []
    assert running.process.stdout is not None and running.process.stdout.read() in (b"", None)


def test_given_servers_are_used_and_outlive_it(monkeypatch: pytest.MonkeyPatch):
    folder = fresh_folder()
    theirs = folder.with_name("theirs")
    theirs.mkdir(mode=0o755)
    postgres, valkey = start_postgres(theirs), start_valkey(theirs)
    try:
        environment = {"DATABASE_URL": postgres.admin_url, "REDIS_URL": valkey.url}
        running = start_demo(folder, "--port", str(free_port()), **environment)
        try:
            assert running.facts["redis_url"] == valkey.url
            assert urlsplit(running.facts["database_url"]).port == urlsplit(postgres.admin_url).port
            assert named(running.process.pid, "postgres") == named(running.process.pid, "valkey-server") == []
            assert not (folder / "postgres").exists() and not (folder / "valkey").exists()
            client, person = register(running, "aurora")
            make_ready(running, client, person)
            deposit(running, client)
            assert money(client) == ("100.00", "0.00")
            assert running.command("status").returncode == 0
        finally:
            ends(running, signal.SIGTERM)
        assert postgres.is_running() and valkey.is_running()
        with psycopg.connect(postgres.admin_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        valkey.destroy()
        postgres.destroy()
        shutil.rmtree(folder.parent, ignore_errors=True)
