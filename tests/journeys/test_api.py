"""The journey over the JSON API, on both brands, with a client that was not written for it. The figures are exact."""

from __future__ import annotations

import time
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from journeys.conftest import Client, Running, eventually

BRANDS = ("aurora", "nordlys")


def register(demo: Running, brand: str) -> tuple[Client, dict[str, Any]]:
    client = Client(demo.brand(brand)["url"])
    site = client.get("/api/v1/site")
    person = {
        "email": f"{uuid.uuid4().hex}@example.com", "password": "a long enough phrase", "first_name": "Journey",
        "last_name": letters(), "birth_date": str(date(1960, 1, 1) + timedelta(days=uuid.uuid4().int % 14_000)), "country": site["countries"][0],
        "documents": documents(site),
    }  # fmt: skip
    told = client.post("/api/v1/players", person, expect=201)
    client.token = told["token"]
    return client, person


def letters() -> str:
    return "".join("abcdefghij"[int(digit)] for digit in str(uuid.uuid4().int)[:14]).title()


def documents(site: dict[str, Any]) -> dict[str, str]:
    told = site["documents"]
    return told if isinstance(told, dict) else {one["document"]: one["version"] for one in told}


def personal_number(born: str) -> str:
    """Swedish: YYMMDD, serial and the Luhn digit over the nine (own arithmetic of this test)."""
    serial = f"{uuid.uuid4().int % 1000:03d}"
    nine = born[2:4] + born[5:7] + born[8:10] + serial
    doubled = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(nine)]
    check = -sum(d - 9 if d > 9 else d for d in doubled) % 10
    return born.replace("-", "") + serial + str(check)


def make_ready(demo: Running, client: Client, person: dict[str, Any], limit: str = "5000.00") -> None:
    """What the site says is needed before money may come in: identity, a deposit limit."""
    status, told = client.call("POST", "/api/v1/deposits", deposit_body(client))
    if status == 201:
        return
    assert (status, told["code"]) == (403, "identity_required"), told
    prove_identity(demo, client, person)
    status, told = client.call("POST", "/api/v1/deposits", deposit_body(client))
    assert (status, told["code"]) == (403, "limit_required"), told
    status, told = client.call("PUT", "/api/v1/limits/deposit/month", {"amount": limit})
    assert status == 200, told


def prove_identity(demo: Running, client: Client, person: dict[str, Any]) -> None:
    """At the electronic id, as the person."""
    order = client.post("/api/v1/identity", {}, expect=201)
    eid = Client(demo.facts["sandbox"]["eid"])
    eid.post(f"/control/orders/{order['order_id']}/approve", {
        "personal_number": personal_number(person["birth_date"]), "first_name": person["first_name"],
        "last_name": person["last_name"], "birth_date": person["birth_date"], "country": person["country"],
    })  # fmt: skip
    assert client.post(f"/api/v1/identity/{order['order_id']}/complete")["status"] == "verified"


def deposit_body(client: Client, amount: str = "100.00") -> dict[str, str]:
    method = client.get("/api/v1/payment-methods")["items"][0]["code"]
    return {"method": method, "amount": amount}


def money(client: Client) -> tuple[str, str]:
    told = client.get("/api/v1/balance")
    return told["available"], told["pending"]


def deposit(demo: Running, client: Client, amount: str = "100.00") -> dict[str, Any]:
    made = client.post("/api/v1/deposits", deposit_body(client, amount), expect=201)
    psp = Client(demo.facts["sandbox"]["psp"])
    payment = made["redirect_url"].rstrip("/").rsplit("/", 1)[1].partition("?")[0]
    psp.post(f"/control/payments/{payment}/pay")
    return eventually(
        lambda: (one := client.get(f"/api/v1/deposits/{made['id']}"))["status"] == "settled" and one, what="deposit"
    )


def play(demo: Running, client: Client, stake: str, win: str) -> dict[str, Any]:
    """One round of the slot with a scripted outcome, as the studio plays it."""
    launched = client.post("/api/v1/games/lf-midnight-orchard/launch")
    from urllib.parse import parse_qs, urlsplit

    query = {key: values[0] for key, values in parse_qs(urlsplit(launched["launch_url"]).query).items()}
    studio = Client(demo.facts["sandbox"]["studio"])
    studio.post("/control/outcomes", {"player": query["player"], "outcomes": [{"win": win}]})
    return studio.post("/control/spin", {
        "wallet": query["wallet"], "session": query["session"], "player": query["player"], "game": query["game"],
        "currency": query["currency"], "stake": stake,
    })  # fmt: skip


def sign_in_staff(demo: Running, tenant: str, role: str) -> Client:
    office = demo.office(tenant)
    staff = next(one for one in office["staff"] if one["role"] == role)
    client = Client(office["url"])
    told = client.post("/api/v1/sessions", {"email": staff["email"], "password": staff["password"]}, expect=201)
    client.token = told["token"]
    return client


@pytest.mark.parametrize("brand", BRANDS)
def test_deposit_play_withdraw(demo: Running, brand: str):
    client, person = register(demo, brand)
    assert money(client) == ("0.00", "0.00")
    make_ready(demo, client, person)
    before = money(client)
    assert before == ("0.00", "0.00")

    deposit(demo, client)
    assert money(client) == ("100.00", "0.00")

    play(demo, client, "2.00", "0")
    play(demo, client, "2.00", "12.00")
    assert eventually(lambda: money(client) == ("108.00", "0.00") and money(client), 2) == ("108.00", "0.00")

    office = sign_in_staff(demo, demo.brand(brand)["tenant"], "payments")
    rejected = withdraw(client, office)
    assert money(client) == ("48.00", "60.00")
    office.post(f"/api/v1/withdrawals/{rejected}/reject", {"reason": "Please send a clearer document."})
    assert money(client) == ("108.00", "0.00")

    approved = withdraw(client, office)
    assert money(client) == ("48.00", "60.00")
    office.post(f"/api/v1/withdrawals/{approved}/approve", {"note": "checked"})
    eventually(lambda: client.get(f"/api/v1/withdrawals/{approved}")["status"] == "paid", what="payout")
    assert money(client) == ("48.00", "0.00")

    lines = [(one["kind"], one["pocket"], one["amount"], one["balance_after"]) for one in statement(client)]
    assert lines == [
        ("deposit", "cash", "100.00", "100.00"),
        ("stake", "cash", "-2.00", "98.00"),
        ("stake", "cash", "-2.00", "96.00"),
        ("settle", "cash", "12.00", "108.00"),
        ("reserve", "cash", "-60.00", "48.00"), ("reserve", "pending", "60.00", "60.00"),
        ("release", "pending", "-60.00", "0.00"), ("release", "cash", "60.00", "108.00"),
        ("reserve", "cash", "-60.00", "48.00"), ("reserve", "pending", "60.00", "60.00"),
        ("pay_out", "pending", "-60.00", "0.00"),
    ]  # fmt: skip
    assert demo.command("ledger", "verify", "--json").returncode == 0


def withdraw(client: Client, office: Client) -> str:
    method = client.get("/api/v1/payment-methods")["items"][0]["code"]
    made = client.post("/api/v1/withdrawals", {"method": method, "amount": "60.00"}, expect=201)
    queue = office.get("/api/v1/withdrawals?status=waiting")["items"]
    row = next(one for one in queue if one["id"] == made["id"])
    assert row["reasons"], "the queue says why a request waits"
    return made["id"]


def statement(client: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    path = "/api/v1/statement?limit=3"
    while path:
        page = client.get(path)
        items += page["items"]
        path = f"/api/v1/statement?limit=3&before={page['next']}" if page["next"] else ""
    # Newest first; of one posting's two lines the credit is told first.
    return list(reversed(items))


def test_balance_follows_a_round_within_two_seconds_by_short_requests(demo: Running):
    client, person = register(demo, "aurora")
    make_ready(demo, client, person)
    deposit(demo, client)
    began = time.monotonic()
    play(demo, client, "1.00", "5.00")
    eventually(lambda: money(client)[0] == "104.00", 2)
    assert time.monotonic() - began < 4
