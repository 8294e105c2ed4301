"""Two operators with real people, money and papers, for asking each for what is the other's.

Payment provider, electronic identity and studio are the sandbox's processes; the whole application listens on a real
socket for what they call back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

import people
from cashier.desk import Desk
from whitefelt import accounts, compliance, games, tenancy, wagering
from whitefelt.accounts import Player
from whitefelt.kernel import ids
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, platform_work, unit_of_work
from whitefelt.kernel.money import Money, parse
from whitefelt.kernel.outbox_models import DeliveryRow

FOLDERS = Path(__file__).parents[1] / "tenants"
SUPPLIER_HOST = "supplier.localhost"
PASSWORD = people.PASSWORD


def with_second_brand(slug: str, folder: Path) -> Path:
    """A copy of the operator's folder with one brand more."""
    made = folder / slug
    shutil.copytree(FOLDERS / slug, made)
    first = made / "brands" / f"{slug}-one.toml"
    text = first.read_text().replace(f"{slug}.localhost", f"{slug}-two.localhost").replace(" One", " Two")
    (made / "brands" / f"{slug}-two.toml").write_text(text)
    return made


@dataclass(frozen=True)
class Caller:
    """Who calls: a session's token (None for a stranger), and the account behind it."""

    kind: str
    token: str | None
    account: Any = None


STRANGER = Caller("stranger", None)
FORGED = Caller("forged", "wfp_" + "A" * 43)


@dataclass
class Site:
    """The whole application, asked through WSGI as a web server would."""

    app: Any
    _csrf: dict[str, tuple[str, str]] = field(default_factory=dict)

    def ask(
        self, host: str, method: str, path: str, caller: Caller = STRANGER, *, by: str = "bearer",
        form: dict[str, Any] | None = None, body: dict[str, Any] | None = None, raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:  # fmt: skip
        """One request. By cookie, it carries this browser's CSRF token too, so that nothing is refused for want of one."""
        sent, cookies = {"Host": host, **(headers or {})}, {}
        if by == "cookie" or form is not None:
            seed, token = self.csrf(host)
            cookies["wf_csrf"] = seed
            if form is not None:
                form = {**form, "csrf_token": token}
            else:
                sent["X-CSRF-Token"] = token
        if caller.token is not None and by == "bearer":
            sent["Authorization"] = f"Bearer {caller.token}"
        elif caller.token is not None:
            cookies["wf_session"] = caller.token
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        client = Client(self.app, use_cookies=False)
        return client.open(path, method=method, headers=sent, json=body, data=form if raw is None else raw)

    def csrf(self, host: str) -> tuple[str, str]:
        """A browser's cookie for forms of that host, and the token that belongs to it, read off the page."""
        if host not in self._csrf:
            answer = Client(self.app, use_cookies=False).get("/sign-in", headers={"Host": host})
            if answer.status_code == 421:
                return "", ""
            cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("wf_csrf="))
            found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', answer.text)
            assert found, answer.text
            self._csrf[host] = (cookie.split(";")[0].partition("=")[2], found.group(1))
        return self._csrf[host]


@dataclass
class World:
    """One operator: hosts, people with sessions, and objects made when they are asked for."""

    slug: str
    tenant: TenantRef
    desk: Desk
    supplier: Caller
    site: Site

    @property
    def host(self) -> str:
        return f"{self.slug}.localhost"

    @property
    def second_host(self) -> str:
        return f"{self.slug}-two.localhost"

    @property
    def office(self) -> str:
        return f"{self.slug}-office.localhost"

    def amount(self, euros: int) -> str:
        """A sum worth about that many euros in this operator's currency."""
        return str(euros if tenancy.site_of(self.host).currency == "EUR" else euros * 10)

    @cached_property
    def player(self) -> Caller:
        """Verified, limited, with money deposited."""
        made = self.desk.player(verified=True)
        with money_work(self.tenant) as work:
            compliance.set_deposit_limit(work, made, "month", parse(self.amount(5000), made.currency))
        deposited = self.desk.paid(made, self.amount(1000))
        assert deposited.status == "settled", deposited
        return self.session_of(made)

    @cached_property
    def neighbour(self) -> Caller:
        """Another player of the same brand, not yet verified."""
        return self.new_player()

    @cached_property
    def second_brand_player(self) -> Caller:
        site = tenancy.site_of(self.second_host)
        with money_work(self.tenant) as work:
            made = compliance.admit(work, site, people.application(site))
        return self.session_of(made)

    def new_player(self) -> Caller:
        return self.session_of(people.register(self.tenant))

    def session_of(self, player: Player) -> Caller:
        with unit_of_work(self.tenant) as work:
            return Caller(f"{self.slug} player", accounts.open_player_session(work, player).token, player)

    def staff(self, role: str) -> Caller:
        with unit_of_work(self.tenant) as work:
            email = f"{uuid.uuid4().hex}@{self.slug}.example"
            made = accounts.create_staff(work, email, "Sam Staff", role, PASSWORD)
            return Caller(f"{self.slug} {role}", accounts.open_staff_session(work, made).token, made)

    @cached_property
    def payments(self) -> Caller:
        return self.staff("payments")

    @cached_property
    def auditor(self) -> Caller:
        return self.staff("auditor")

    @cached_property
    def product(self) -> Caller:
        return self.staff("product")

    @cached_property
    def support(self) -> Caller:
        return self.staff("support")

    def prepare(self) -> None:
        """Make everything that is made once, so that it is not written while somebody watches what is written."""
        callers = (self.player, self.neighbour, self.second_brand_player, self.payments, self.auditor, self.product)
        assert all(callers) and self.support and self.play and self.delivery and self.secrets_of_people
        assert self.token_css and self.legal_css and self.asset

    # --- objects ------------------------------------------------------------------------------------------------------

    @cached_property
    def deposit(self) -> str:
        return self.desk.start(self.player.account, self.amount(20)).public_id

    @cached_property
    def withdrawal(self) -> str:
        return self.new_withdrawal()

    def new_withdrawal(self) -> str:
        made = self.desk.request(self.player.account, self.amount(20))
        assert made.status == "waiting", made
        return made.public_id

    @cached_property
    def order(self) -> str:
        """An open identity check of the neighbour."""
        address = f"http://{self.host}/account/identity"
        return compliance.begin_identity(self.tenant, self.neighbour.account, address).order_id

    @cached_property
    def delivery(self) -> int:
        return self.new_delivery()

    def new_delivery(self) -> int:
        """A fact that its reader could not take in, blocked."""
        with unit_of_work(self.tenant) as work:
            row = DeliveryRow(
                stream="outbox", fact_id=time.time_ns(), consumer="isolation.reader", key=f"{self.slug}:{uuid.uuid4()}",
                name="isolation.happened", version=1, body={}, state="blocked", attempts=9, failures=9, last_error="Refused",
            )  # fmt: skip
            work.session.add(row)
            work.session.flush()
            return row.id

    @cached_property
    def play(self) -> wagering.OpenedSession:
        integration = self.integration("play")
        with money_work(self.tenant) as work:
            return wagering.open_session(work, self.player.account, integration, self.game)

    @cached_property
    def game(self) -> str:
        games.sync(self.integration("play"))
        return games.library(self.tenant)[0].code

    def integration(self, kind: str) -> tenancy.Integration:
        return tenancy.integrations_of(self.tenant, kind)[0]

    def cash(self) -> Money:
        """What the player with money has."""
        return self.desk.cash(self.player.account)

    # --- addresses ----------------------------------------------------------------------------------------------------

    @property
    def email(self) -> str:
        return str(self.player.account.email)

    @property
    def player_id(self) -> str:
        return str(self.player.account.public_id)

    @cached_property
    def token_css(self) -> str:
        return self._linked(r'"(/-/theme/[^"]+\.css)"')

    @cached_property
    def legal_css(self) -> str:
        return self._linked(r'"(/-/legal/[^"]+\.css)"')

    @cached_property
    def asset(self) -> str:
        return self._linked(r'"(/-/asset/[^"]+)"')

    def _linked(self, pattern: str) -> str:
        """An address that the brand's front page names."""
        page = self.site.ask(self.host, "GET", "/").text
        found = re.search(pattern, page)
        assert found, page
        return found.group(1)

    @cached_property
    def secrets_of_people(self) -> tuple[str, ...]:
        """Words that only this operator may ever show."""
        who, other = self.player.account, self.neighbour.account
        return (
            who.public_id, who.email, who.last_name, other.public_id, other.email, other.last_name, self.deposit,
            self.withdrawal, self.order, self.payments.account.email, self.integration("play").public_id,
        )  # fmt: skip

    # --- what vendors send --------------------------------------------------------------------------------------------

    def play_message(self, kind: str = "bet", **changed: Any) -> bytes:
        told = {
            "type": kind, "player": self.player.account.public_id, "session": self.play.token, "game": self.game,
            "currency": self.player.account.currency, "round_id": f"r-{uuid.uuid4()}", "transaction_id": f"t-{uuid.uuid4()}",
            "amount": "1.00",
        }  # fmt: skip
        return json.dumps({**told, **changed}).encode()

    def play_headers(self, raw: bytes) -> dict[str, str]:
        secrets, stamp = self.integration("play").secrets, str(int(time.time()))
        base = f"{secrets['key_id']}.{stamp}.".encode() + raw
        mark = hmac.new(secrets["secret"].encode(), base, hashlib.sha256).hexdigest()
        return {"X-Whitefelt-Key": secrets["key_id"], "X-Whitefelt-Timestamp": stamp, "X-Whitefelt-Signature": mark}

    def pay_message(self, reference: str, vendor_id: str) -> bytes:
        data = {
            "id": vendor_id, "status": "paid", "reference": reference, "amount": 1000,
            "currency": self.player.account.currency, "authorisation": 123456,
        }  # fmt: skip
        told = {"id": f"evt_{uuid.uuid4().hex}", "type": "payment.paid", "created": int(time.time()), "data": data}
        return json.dumps(told).encode()


MISSING: dict[str, Callable[[], Any]] = {
    "deposit": lambda: str(ids.uuid7()),
    "withdrawal": lambda: str(ids.uuid7()),
    "player_id": lambda: str(ids.uuid7()),
    "order": lambda: f"ord_{uuid.uuid4().hex}",
    "delivery": lambda: 10**15,
    "token_css": lambda: f"/-/theme/nobody-one/{uuid.uuid4().hex[:16]}.css",
}


def supplier_caller() -> Caller:
    """The supplier's console and someone who may see everything in it."""
    tenancy.supplier_site(SUPPLIER_HOST)
    with platform_work() as work:
        made = accounts.create_supplier_staff(
            work, f"{uuid.uuid4().hex}@supplier.example", "Una", "administrator", PASSWORD
        )
        return Caller("supplier", accounts.open_supplier_session(work, made).token, made)
