"""The cashier's HTTP: who may call it, what it takes, and what it never tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from cashier.desk import Desk, in_parallel
from whitefelt import accounts, tenancy
from whitefelt.accounts import Player
from whitefelt.cashier import api
from whitefelt.kernel import web
from whitefelt.kernel.db import unit_of_work


class Client:
    """JSON requests to one host, as one bearer."""

    def __init__(self, client: FlaskClient, host: str, token: str | None) -> None:
        self.client, self.host, self.token = client, host, token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            told["Authorization"] = f"Bearer {self.token}"
        answer = self.client.open(
            f"/api/v1{path}", method=method, json=body, headers=told, base_url=f"http://{self.host}",
            environ_overrides={"whitefelt.site": tenancy.site_of(self.host)},
        )  # fmt: skip
        return answer.status_code, answer.get_json()


@pytest.fixture(scope="module")
def apps(platform: Any) -> dict[str, FlaskClient]:
    made = {}
    for kind, blueprint, authenticate in (
        ("brand", api.player_api, accounts.authenticate_player), ("backoffice", api.staff_api, accounts.authenticate_staff),
    ):  # fmt: skip
        app = web.make_app(kind, authenticate=authenticate, render_problem=web.problem_response)
        web.make_api(app, "test").register_blueprint(blueprint)
        made[kind] = app.test_client()
    return made


@pytest.fixture
def someone(desk: Desk, apps: dict[str, FlaskClient]) -> tuple[Player, Client]:
    player = desk.player()
    with unit_of_work(desk.tenant) as work:
        token = accounts.open_player_session(work, player).token
    return player, Client(apps["brand"], desk.host, token)


def staff(desk: Desk, apps: dict[str, FlaskClient], role: str, host: str = "alpha-office.localhost") -> Client:
    tenant = tenancy.site_of(host).tenant
    assert tenant is not None
    with unit_of_work(tenant) as work:
        email = f"{role}@{host}"
        who = accounts.staff_by_email(work, email) or accounts.create_staff(
            work, email, role.title(), role, "correct horse battery"
        )
        token = accounts.open_staff_session(work, who).token
    return Client(apps["backoffice"], host, token)


@pytest.fixture
def payer(desk: Desk, apps: dict[str, FlaskClient]) -> Iterator[Client]:
    yield staff(desk, apps, "payments")


def test_a_deposit_over_the_api(desk: Desk, someone: tuple[Player, Client]) -> None:
    _player, call = someone
    status, told = call("GET", "/payment-methods")
    assert status == 200
    card = next(one for one in told["items"] if one["code"] == "card")
    assert (card["minimum"], card["maximum"], card["fee"], card["currency"]) == ("10.00", "5000.00", "0.00", "EUR")
    assert card["can_withdraw"] is False
    status, made = call("POST", "/deposits", {"method": "card", "amount": "100.00"})
    assert status == 201 and made["status"] == "redirected"
    assert (made["amount"], made["currency"], set(made)) == ("100.00", "EUR", {
        "id", "status", "method", "amount", "currency", "redirect_url", "reason", "created_at", "settled_at"
    })  # fmt: skip
    desk.pay(desk.deposit(made["id"]))
    desk.heard(made["id"])
    assert call("GET", f"/deposits/{made['id']}")[1]["status"] == "settled"
    assert [one["id"] for one in call("GET", "/deposits")[1]["items"]] == [made["id"]]
    assert next(one for one in call("GET", "/payment-methods")[1]["items"] if one["code"] == "card")["can_withdraw"]


def test_a_withdrawal_over_the_api_from_request_to_approval(
    desk: Desk, someone: tuple[Player, Client], payer: Client
) -> None:
    player, call = someone
    desk.paid(player, "108.00")
    status, asked = call("POST", "/withdrawals", {"method": "card", "amount": "60.00"})
    assert (status, asked["status"], asked["amount"]) == (201, "waiting", "60.00")
    assert not {"reasons", "note", "decided_by", "vendor_id"} & set(asked)  # what is looked for is not told
    status, queue = payer("GET", "/withdrawals?status=waiting&limit=200")
    mine = next(one for one in queue["items"] if one["id"] == asked["id"])
    assert mine["player"] == {"id": player.public_id, "name": player.name}
    assert [one["code"] for one in mine["reasons"]] == ["no_play_since_deposit", "first_withdrawal", "manual_review"]
    assert all(one["text"] for one in mine["reasons"]) and mine["waiting_seconds"] >= 0
    assert queue["counts"]["waiting"] >= 1
    status, done = payer("POST", f"/withdrawals/{asked['id']}/approve", {"note": "fine"})
    assert (status, done["status"], done["decided_by"], done["note"]) == (200, "approved", "Payments", "fine")
    status, again = payer("POST", f"/withdrawals/{asked['id']}/reject", {"reason": "no"})
    assert (status, again["code"], again["decision"], again["decided_by"]) == (
        409,
        "already_decided",
        "approved",
        "Payments",
    )
    assert call("GET", f"/withdrawals/{asked['id']}")[1]["status"] == "approved"


def test_an_approval_needs_no_body_and_a_rejection_needs_a_reason(
    desk: Desk, someone: tuple[Player, Client], payer: Client
) -> None:
    player, call = someone
    desk.paid(player, "50.00")
    first, second = (call("POST", "/withdrawals", {"method": "card", "amount": "5.00"})[1]["id"] for _ in range(2))
    assert payer("POST", f"/withdrawals/{first}/approve")[0] == 200
    for body in ({}, {"reason": ""}, {"reason": "  "}, {"reason": 5}):
        assert payer("POST", f"/withdrawals/{second}/reject", body)[0] == 422
    assert payer("POST", f"/withdrawals/{second}/reject", {"reason": "a reason"})[1]["status"] == "rejected"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"method": "card", "amount": 100}, "fields_invalid"),
        ({"method": "card", "amount": "1e2"}, "amount_invalid"),
        ({"method": "card", "amount": "-20.00"}, "amount_invalid"),
        ({"method": "card", "amount": " 20.00"}, "amount_invalid"),
        ({"method": "card", "amount": "20.001"}, "amount_too_fine"),
        ({"method": "card", "amount": "20.0000001"}, "amount_too_fine"),
        ({"method": "card", "amount": "1.00"}, "amount_below_minimum"),
        ({"method": "card", "amount": "9" * 15}, "amount_invalid"),
        ({"method": "gold", "amount": "20.00"}, "payment_method_unknown"),
        ({"method": "card"}, "fields_invalid"),
        ({"method": "card", "amount": "20.00", "currency": "USD"}, "fields_invalid"),
        ({"method": "card", "amount": "20.00", "return_url": "https://evil.example/"}, "return_url_invalid"),
        ({"method": "card", "amount": "20.00", "return_url": "//evil.example/"}, "return_url_invalid"),
        ({"method": "card", "amount": "20.00", "return_url": "/\\evil.example"}, "return_url_invalid"),
        ({"method": "card", "amount": "20.00", "return_url": "http://alpha.localhost@evil.example/"}, "return_url_invalid"),
        ({"method": "card", "amount": "20.00", "return_url": "javascript:alert(1)"}, "return_url_invalid"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_with_its_code(someone: tuple[Player, Client], body: Any, code: str) -> None:
    _, call = someone
    status, told = call("POST", "/deposits", body)
    assert (status, told["code"]) == (422, code)
    assert call("GET", "/deposits")[1]["items"] == []


def test_a_return_address_on_this_site_is_taken(desk: Desk, someone: tuple[Player, Client]) -> None:
    _, call = someone
    for address in ("/cashier/deposit/{id}", "http://alpha.localhost/back?d={id}"):
        status, made = call("POST", "/deposits", {"method": "card", "amount": "20.00", "return_url": address})
        assert status == 201, made
    status, made = call("POST", "/deposits", {"method": "card", "amount": "20.00"})
    assert status == 201


def test_the_key_header_makes_repeating_harmless(someone: tuple[Player, Client]) -> None:
    _, call = someone
    body = {"method": "card", "amount": "20.00"}
    first = call("POST", "/deposits", body, Idempotency_Key="one")
    assert call("POST", "/deposits", body, Idempotency_Key="one") == first
    assert call("POST", "/deposits", body, Idempotency_Key="two")[1]["id"] != first[1]["id"]
    status, told = call("POST", "/deposits", {**body, "amount": "21.00"}, Idempotency_Key="one")
    assert (status, told["code"]) == (409, "idempotency_conflict")
    assert call("POST", "/deposits", body, Idempotency_Key="a b")[1]["code"] == "idempotency_key_invalid"


def test_two_staff_at_the_same_moment(
    desk: Desk, someone: tuple[Player, Client], apps: dict[str, FlaskClient], payer: Client
) -> None:
    player, call = someone
    desk.paid(player, "50.00")
    asked = call("POST", "/withdrawals", {"method": "card", "amount": "50.00"})[1]["id"]
    app = payer.client.application
    pair = [Client(app.test_client(), payer.host, payer.token) for _ in range(2)]
    outcomes = in_parallel([lambda one=one: one("POST", f"/withdrawals/{asked}/approve", {}) for one in pair])
    assert sorted(status for status, _ in outcomes) == [200, 409]


def test_another_player_sees_nothing(desk: Desk, apps: dict[str, FlaskClient], someone: tuple[Player, Client]) -> None:
    player, call = someone
    deposit = desk.paid(player, "50.00").public_id
    withdrawal = desk.request(player, "5.00").public_id
    other = desk.player()
    with unit_of_work(desk.tenant) as work:
        stranger = Client(apps["brand"], desk.host, accounts.open_player_session(work, other).token)
    assert stranger("GET", f"/deposits/{deposit}")[1]["code"] == "deposit_unknown"
    assert stranger("GET", f"/withdrawals/{withdrawal}")[1]["code"] == "withdrawal_unknown"
    assert stranger("GET", "/deposits")[1] == {"items": [], "next": None}
    assert stranger("GET", "/withdrawals")[1] == {"items": [], "next": None}
    assert call("GET", f"/deposits/{deposit}")[0] == call("GET", f"/withdrawals/{withdrawal}")[0] == 200


def test_another_operators_staff_sees_nothing(
    desk: Desk, apps: dict[str, FlaskClient], someone: tuple[Player, Client], payer: Client, bravo: Any
) -> None:
    player, _ = someone
    desk.paid(player, "50.00")
    asked = desk.request(player, "5.00").public_id
    theirs = staff(desk, apps, "payments", "bravo-office.localhost")
    assert theirs("GET", f"/withdrawals/{asked}")[0] == 404
    assert theirs("POST", f"/withdrawals/{asked}/approve", {})[0] == 404
    assert asked not in [one["id"] for one in theirs("GET", "/withdrawals?limit=200")[1]["items"]]
    assert Client(payer.client, "bravo-office.localhost", payer.token)("GET", "/withdrawals")[0] == 401
    assert payer("GET", f"/withdrawals/{asked}")[1]["status"] == "waiting"


@pytest.mark.parametrize(("role", "sees", "decides"), [
    ("payments", True, True), ("support", True, False), ("auditor", True, False), ("operations", True, False),
    ("product", False, False),
])  # fmt: skip
def test_roles(
    desk: Desk, apps: dict[str, FlaskClient], someone: tuple[Player, Client], role: str, sees: bool, decides: bool
) -> None:
    player, _ = someone
    desk.paid(player, "50.00")
    asked = desk.request(player, "5.00").public_id
    call = staff(desk, apps, role)
    assert call("GET", "/withdrawals")[0] == (200 if sees else 403)
    assert call("POST", f"/withdrawals/{asked}/approve", {})[0] == (200 if decides else 403)


def test_nobody_is_nobody(desk: Desk, apps: dict[str, FlaskClient]) -> None:
    nobody = Client(apps["brand"], desk.host, None)
    for method, path in (
        ("GET", "/payment-methods"), ("GET", "/deposits"), ("POST", "/deposits"), ("GET", "/withdrawals"),
        ("POST", "/withdrawals"), ("GET", "/deposits/x"), ("GET", "/withdrawals/x"),
    ):  # fmt: skip
        assert nobody(method, path, {} if method == "POST" else None)[0] == 401


def test_lists_come_in_pages(desk: Desk, someone: tuple[Player, Client]) -> None:
    player, call = someone
    desk.paid(player, "50.00")
    made = [desk.request(player, "1.00").public_id for _ in range(5)]
    first = call("GET", "/withdrawals?limit=3")[1]
    second = call("GET", f"/withdrawals?limit=3&before={first['next']}")[1]
    assert [one["id"] for one in [*first["items"], *second["items"]]] == made[::-1]
    assert second["next"] is None
    assert call("GET", "/withdrawals?limit=0")[0] == 422
