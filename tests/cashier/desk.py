"""A real payment provider in a process of its own, our callback address on a real socket, and players with money."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from whitefelt import audit, cashier, compliance, tenancy, wallet
from whitefelt.accounts import Person, Player, set_verified
from whitefelt.cashier import Deposit, Withdrawal, handlers
from whitefelt.cashier.models import DepositRow, NotificationRow, WithdrawalRow
from whitefelt.facts.money import PaymentNotified, WithdrawalApproved
from whitefelt.kernel import clock
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.money import Money, parse, to_minor
from whitefelt.kernel.outbox_models import OutboxRow
from whitefelt.tenancy import Integration
from whitefelt.wallet import Balances

ROOT = Path(__file__).parents[2]
FOLDERS = Path(__file__).parents[1] / "tenants"
STAFF = Actor("staff", "7", "Pat Payments")
OTHER_STAFF = Actor("staff", "8", "Sam Second")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first true answer of `what`; fails when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@dataclass
class Psp:
    """The sandbox provider's process and its control."""

    origin: str
    config: Path
    process: subprocess.Popen[bytes]

    def control(self, path: str, method: str = "POST", **body: Any) -> Any:
        with httpx2.Client(trust_env=False) as client:
            answer = client.request(method, f"{self.origin}/control{path}", json=body if method == "POST" else None)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def mode(self, **wanted: Any) -> None:
        self.control("/mode", "DELETE")
        if wanted:
            self.control("/mode", **wanted)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def begin(self, data: Path) -> None:
        """Start the process (again) on the same port and books."""
        port = self.origin.rpartition(":")[2]
        command = [sys.executable, "-m", "whitefelt.sandbox.psp", "--port", port, "--data", str(data)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
        log = (data / "psp.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--config", str(self.config)], env=environment, stdout=log, stderr=log
        )
        wait_for(self._alive, 20)

    def _alive(self) -> bool:
        try:
            with httpx2.Client(trust_env=False) as client:
                return client.get(f"{self.origin}/healthz").status_code == 200
        except httpx2.HTTPError:
            return False


@dataclass
class Callbacks:
    """Our callback address on a real socket. `refuse`: answer 503 to that many messages first."""

    base: str
    refuse: int = 0
    seen: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if self.refuse > 0:
            self.refuse -= 1
            return Response("busy", 503)(environ, start_response)
        public_id = request.path.rpartition("/")[2]
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, body, content_type = cashier.receive(public_id, headers, request.get_data())
        self.seen.append((request.path, status))
        return Response(body, status, content_type=content_type)(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log(self, *args: Any) -> None:
        return None


_number = itertools.count(1)


@dataclass
class Desk:
    """One operator's cashier in a test: its provider, and short forms of what players and staff do."""

    tenant: TenantRef
    host: str
    psp: Psp
    integration: Integration

    def __post_init__(self) -> None:
        # Tests of other modules book money in the same schema past the cashier: what they left is not ours to find.
        self.before: frozenset[cashier.Fault] = frozenset()
        self.before = frozenset(self.faults())

    def player(self, *, verified: bool = True, currency: str | None = None) -> Player:
        """A new player of this site, with an account in its currency or another."""
        site = tenancy.site_of(self.host)
        site = replace(site, currency=currency or site.currency)
        unique = "".join(chr(ord("a") + int(c, 16)) for c in uuid.uuid4().hex)
        form = compliance.Application(
            email=f"p{next(_number)}.{unique}@example.test", password="correct horse battery", first_name="Robin",
            last_name=unique.title(), birth_date="1990-05-17", country=site.jurisdiction,
            documents=dict(compliance.ruleset(site.jurisdiction, clock.now()).documents),
        )  # fmt: skip
        with money_work(self.tenant) as work:
            player = compliance.admit(work, site, form)
            if verified:
                player = _verified(work, player, unique)
        return player

    def start(self, player: Player, amount: str = "100.00", method: str = "card", key: str | None = None) -> Deposit:
        money = parse(amount, player.currency)
        return cashier.deposits.start(
            self.tenant, player, method, money, f"http://{self.host}/cashier/deposit/{{id}}", idempotency_key=key
        )

    def paid(self, player: Player, amount: str = "100.00") -> Deposit:
        """A deposit that the provider collected and we credited."""
        started = self.start(player, amount)
        self.pay(started)
        self.heard(started.public_id)
        return self.deposit(started.public_id)

    def pay(self, deposit: Deposit, action: str = "pay") -> None:
        self.psp.control(f"/payments/{deposit.vendor_id}/{action}")

    def heard(self, reference: str, number: int = 1) -> None:
        """Wait until the provider has told us `number` things about it, then apply them."""
        wait_for(lambda: len(self.notifications(reference)) >= number)
        self.apply(reference)

    def apply(self, reference: str) -> None:
        """What the worker does with kept notifications, in order."""
        for fact in self.facts(PaymentNotified):
            if fact.payment == reference:
                with money_work(self.tenant) as work:
                    handlers.apply_notification(work, fact)

    def send_payouts(self, reference: str) -> None:
        """What the worker does with approvals."""
        for fact in self.facts(WithdrawalApproved):
            if fact.withdrawal_public_id == reference:
                handlers.pay_approved(self.tenant, fact)

    def facts(self, kind: Any) -> list[Any]:
        with unit_of_work(self.tenant) as work:
            query = select(OutboxRow.body).where(OutboxRow.name == kind.NAME).order_by(OutboxRow.id)
            return [kind.from_body(body) for body in work.session.scalars(query)]

    def notifications(self, reference: str) -> list[NotificationRow]:
        with unit_of_work(self.tenant) as work:
            query = select(NotificationRow).where(NotificationRow.reference == reference).order_by(NotificationRow.id)
            return list(work.session.scalars(query))

    def deposit(self, public_id: str) -> Deposit:
        with unit_of_work(self.tenant) as work:
            return cashier.deposits.get(work, public_id)

    def withdrawal(self, public_id: str) -> Withdrawal:
        with unit_of_work(self.tenant) as work:
            return cashier.withdrawals.get(work, public_id)

    def request(self, player: Player, amount: str, key: str | None = None) -> Withdrawal:
        money = parse(amount, player.currency)
        return cashier.withdrawals.request(self.tenant, player, money, "card", idempotency_key=key)

    def approve(self, public_id: str, actor: Actor = STAFF) -> Withdrawal:
        with money_work(self.tenant, actor) as work:
            return cashier.withdrawals.approve(work, public_id, "looks right")

    def reject(self, public_id: str, actor: Actor = STAFF) -> Withdrawal:
        with money_work(self.tenant, actor) as work:
            return cashier.withdrawals.reject(work, public_id, "not today")

    def balances(self, player: Player) -> Balances:
        with unit_of_work(self.tenant) as work:
            pockets = wallet.find_pockets(work, player.owner, player.currency)
            assert pockets is not None
            return wallet.balances(work, pockets)

    def cash(self, player: Player) -> Money:
        return self.balances(player).cash

    def lines(self, player: Player) -> list[tuple[str, str, Money]]:
        """The player's statement, oldest first: kind, pocket, amount."""
        with unit_of_work(self.tenant) as work:
            pockets = wallet.find_pockets(work, player.owner, player.currency)
            assert pockets is not None
            found = wallet.statement(work, pockets, limit=200)
        return [(line.kind, line.pocket, line.amount) for line in reversed(found)]

    def faults(self) -> list[cashier.Fault]:
        with unit_of_work(self.tenant) as work:
            return [fault for fault in cashier.verify(work) if fault not in self.before]

    def event(self, deposit: Deposit | Withdrawal, kind: str, **other: Any) -> bytes:
        """A notification as the provider would write it, made here; `other` replaces parts of its object."""
        data = {
            "id": deposit.vendor_id or "pay_made_here", "status": kind.partition(".")[2], "reference": deposit.public_id,
            "amount": to_minor(deposit.money), "currency": deposit.money.currency, **other,
        }  # fmt: skip
        document = {"id": f"evt_{uuid.uuid4().hex}", "type": kind, "created": int(time.time()), "data": data}
        return json.dumps(document).encode()

    def tell(self, raw: bytes, **header: Any) -> tuple[int, bytes]:
        """Send that body to our callback, signed here by code of the test's own."""
        return cashier.callbacks.receive(self.integration, self.signed(raw, **header), raw)

    def signed(self, raw: bytes, *, secret: str | None = None, at: int | None = None) -> dict[str, str]:
        stamp = str(int(time.time()) if at is None else at)
        key = (self.integration.secrets["webhook_secret"] if secret is None else secret).encode()
        mark = hmac.new(key, f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
        return {"Sandpay-Signature": f"t={stamp},v1={mark}"}

    def edit_deposit(self, public_id: str, **columns: Any) -> None:
        self._edit(DepositRow, public_id, columns)

    def edit_withdrawal(self, public_id: str, **columns: Any) -> None:
        self._edit(WithdrawalRow, public_id, columns)

    def _edit(self, model: Any, public_id: str, columns: dict[str, Any]) -> None:
        with unit_of_work(self.tenant) as work:
            row = work.session.scalars(select(model).where(model.public_id == uuid.UUID(public_id))).one()
            for name, value in columns.items():
                setattr(row, name, value)


def _verified(work: Any, player: Player, unique: str) -> Player:
    person = Person(player.first_name, player.last_name, player.birth_date, player.country)
    return set_verified(work, player.id, person, unique)


def in_parallel(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run all at once; results in order, exceptions as values."""
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place: int, job: Callable[[], Any]) -> None:
        barrier.wait(10)
        try:
            results[place] = job()
        except Exception as error:  # the test looks at it
            results[place] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def eur(text: str) -> Money:
    return parse(text, "EUR")


def funded(desk: Desk, amount: str = "108.00") -> Player:
    player = desk.player()
    desk.paid(player, amount)
    return player


def held(desk: Desk, player: Player) -> tuple[Money, Money]:
    found = desk.balances(player)
    return found.cash, found.pending


def stake(desk: Desk, player: Player, amount: str = "1.00") -> None:
    """A settled round that loses its stake."""
    with money_work(desk.tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, "EUR")
        assert pockets is not None
        house = wallet.play_house(work, "EUR")
    staked = wallet.stake(
        desk.tenant, source=9, ref=f"stake-{player.public_id}", digest=b"x", pockets=pockets, money=eur(amount),
        house=house, round_ref=f"round-{player.public_id}", label={}, order="cash_first", close=True,
    )  # fmt: skip
    assert staked.posted


def audit_of(desk: Desk, public_id: str) -> list[Any]:
    """What staff and we did to that withdrawal."""
    with unit_of_work(desk.tenant) as work:
        return audit.entries(work, subject=f"withdrawal:{public_id}")
