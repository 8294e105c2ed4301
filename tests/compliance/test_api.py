"""The JSON API of accounts and compliance, as a brand's site and a back office serve it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from flask.testing import FlaskClient

import people
from people import bearer
from whitefelt import accounts, audit, compliance, tenancy
from whitefelt.kernel import clock
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work


@pytest.fixture(scope="module")
def aurora(alpha: TenantRef) -> FlaskClient:
    return people.client_of(people.brand_site(alpha))


@pytest.fixture(scope="module")
def nordlys(bravo: TenantRef) -> FlaskClient:
    return people.client_of(people.brand_site(bravo))


@pytest.fixture(scope="module")
def office(alpha: TenantRef) -> FlaskClient:
    return people.client_of(next(site for site in tenancy.sites_of(alpha) if site.kind == "backoffice"))


@pytest.fixture(scope="module")
def other_office(bravo: TenantRef) -> FlaskClient:
    return people.client_of(next(site for site in tenancy.sites_of(bravo) if site.kind == "backoffice"))


def form(tenant: TenantRef, **changed: Any) -> dict[str, Any]:
    return {**asdict(people.application(people.brand_site(tenant))), **changed}


def register(client: FlaskClient, tenant: TenantRef, **changed: Any) -> tuple[dict[str, Any], str]:
    told = form(tenant, **changed)
    answer = client.post("/api/v1/players", json=told)
    assert answer.status_code == 201, answer.json
    return told, answer.json["token"]


def hire(tenant: TenantRef, role: str) -> accounts.Staff:
    with unit_of_work(tenant) as work:
        name = people.unique_name()
        return accounts.create_staff(work, f"{name}@operator.example", f"Pat {name}", role, people.PASSWORD)


def staff_token(client: FlaskClient, staff: accounts.Staff) -> str:
    answer = client.post("/api/v1/sessions", json={"email": staff.email, "password": people.PASSWORD})
    assert answer.status_code == 201, answer.json
    return str(answer.json["token"])


# --- registration and sessions ---------------------------------------------------------------------------------------


def test_a_site_says_what_registration_needs(aurora: FlaskClient, nordlys: FlaskClient) -> None:
    told = aurora.get("/api/v1/site").json
    assert (told["jurisdiction"], told["currency"], told["min_age"], told["countries"]) == ("MT", "EUR", 18, ["MT"])
    assert told["documents"] == {"terms": "2026-11", "privacy": "2026-11"}
    assert told["deposit_limits_required"] == "none" and told["identity_before"] == "deposit_threshold"
    told = nordlys.get("/api/v1/site").json
    assert (told["jurisdiction"], told["deposit_limits_required"]) == ("SE", "one")
    assert told["identity_before"] == "first_deposit"


def test_register_look_sign_out_sign_in(aurora: FlaskClient, alpha: TenantRef) -> None:
    told, token = register(aurora, alpha)
    me = aurora.get("/api/v1/me", headers=bearer(token)).json
    assert me["email"] == told["email"] and me["status"] == "active" and me["verified_at"] is None
    assert "password" not in str(me)
    assert aurora.delete("/api/v1/sessions/current", headers=bearer(token)).status_code == 204
    assert aurora.get("/api/v1/me", headers=bearer(token)).status_code == 401
    answer = aurora.post("/api/v1/sessions", json={"email": told["email"], "password": told["password"]})
    assert answer.status_code == 201 and answer.json["player"]["id"] == me["id"]
    assert aurora.get("/api/v1/me", headers=bearer(answer.json["token"])).json == me


def test_refusals_are_problems_with_stable_codes(aurora: FlaskClient, alpha: TenantRef) -> None:
    told, _ = register(aurora, alpha)
    for changed, status, code, fields in (
        ({"birth_date": clock.now().date().isoformat()}, 422, "under_age", {"birth_date"}),
        ({"country": "SE"}, 422, "country_not_served", {"country"}),
        ({"documents": {"terms": "1"}}, 422, "documents_outdated", {"documents.terms", "documents.privacy"}),
        ({"email": "x", "password": "y"}, 422, "fields_invalid", {"email", "password"}),
        ({"email": told["email"]}, 409, "account_exists", set()),
    ):
        answer = aurora.post("/api/v1/players", json=form(alpha, **changed))
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert answer.content_type == "application/problem+json"
        assert set(answer.json.get("errors", {})) == fields


@pytest.mark.parametrize("field, value", [("status", "active"), ("verified_at", "2026-01-01"), ("brand_id", 1)])
def test_nothing_else_can_be_slipped_in(aurora: FlaskClient, alpha: TenantRef, field: str, value: Any) -> None:
    answer = aurora.post("/api/v1/players", json=form(alpha, **{field: value}))
    assert answer.status_code == 422 and answer.json["code"] == "fields_invalid"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'"x"', b'{"email": 1, "password": []}', b'{"email": "\\ud800@x.se", "password": "x"}']
)
def test_bodies_that_are_no_credentials(aurora: FlaskClient, body: bytes) -> None:
    answer = aurora.post("/api/v1/sessions", data=body, content_type="application/json")
    assert answer.status_code in (400, 401, 422) and answer.json["code"] != "internal_error"


def test_wrong_credentials_are_one_answer(aurora: FlaskClient, alpha: TenantRef) -> None:
    told, _ = register(aurora, alpha)
    known = aurora.post("/api/v1/sessions", json={"email": told["email"], "password": "wrong horse battery"})
    unknown = aurora.post("/api/v1/sessions", json={"email": "nobody@example.com", "password": told["password"]})
    assert known.status_code == unknown.status_code == 401
    assert {**known.json, "instance": ""} == {**unknown.json, "instance": ""}
    assert known.json["code"] == "credentials_wrong"


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_a_token_counts_at_its_own_host_only_and_each_refusal_has_a_twin(
    aurora: FlaskClient, nordlys: FlaskClient, office: FlaskClient, other_office: FlaskClient,
    alpha: TenantRef, bravo: TenantRef,
) -> None:  # fmt: skip
    tokens = {
        "aurora": register(aurora, alpha)[1], "nordlys": register(nordlys, bravo)[1],
        "office": staff_token(office, hire(alpha, "support")),
        "other_office": staff_token(other_office, hire(bravo, "support")),
    }  # fmt: skip
    clients = {"aurora": aurora, "nordlys": nordlys, "office": office, "other_office": other_office}
    for host, client in clients.items():
        for owner, token in tokens.items():
            answer = client.get("/api/v1/me", headers=bearer(token))
            assert answer.status_code == (200 if host == owner else 401), (host, owner)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {} x", "Bearer x{}"])
def test_headers_that_carry_no_token(aurora: FlaskClient, alpha: TenantRef, header: str) -> None:
    _, token = register(aurora, alpha)
    assert aurora.get("/api/v1/me", headers={"Authorization": header.format(token)}).status_code == 401
    assert aurora.get("/api/v1/me", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_a_token_is_never_taken_from_a_query(aurora: FlaskClient, alpha: TenantRef) -> None:
    _, token = register(aurora, alpha)
    for name in ("token", "access_token", "wf_session"):
        assert aurora.get(f"/api/v1/me?{name}={token}").status_code == 401
    assert aurora.get("/api/v1/me", headers=bearer(token)).status_code == 200


def test_the_cookie_reads_but_writes_only_with_a_csrf_token(alpha: TenantRef) -> None:
    client = people.client_of(people.brand_site(alpha))
    _, token = register(client, alpha)
    client.set_cookie(accounts.SESSION_COOKIE, token, domain=people.brand_site(alpha).host)
    assert client.get("/api/v1/me").status_code == 200
    refused = client.put("/api/v1/limits/deposit/day", json={"amount": "10.00"})
    assert (refused.status_code, refused.json["code"]) == (403, "csrf_failed")
    assert client.get("/api/v1/me", headers=bearer("x")).status_code == 401, "a header silences the cookie"
    sent = client.put("/api/v1/limits/deposit/day", json={"amount": "10.00"}, headers=bearer(token))
    assert sent.status_code == 200


# --- limits, exclusions, identity ------------------------------------------------------------------------------------


def test_limits_over_the_wire(aurora: FlaskClient, alpha: TenantRef) -> None:
    _, token = register(aurora, alpha)
    told = aurora.get("/api/v1/limits", headers=bearer(token)).json
    assert [(one["period"], one["amount"]) for one in told["deposit"]] == [
        ("day", None),
        ("week", None),
        ("month", None),
    ]
    assert (told["required"], told["missing"]) == ("none", False)
    set_to = aurora.put("/api/v1/limits/deposit/week", json={"amount": "150"}, headers=bearer(token)).json
    assert (set_to["amount"], set_to["currency"], set_to["pending"]) == ("150.00", "EUR", None)
    looser = aurora.put("/api/v1/limits/deposit/week", json={"amount": None}, headers=bearer(token)).json
    assert looser["amount"] == "150.00" and looser["pending"]["amount"] is None
    back = aurora.delete("/api/v1/limits/deposit/week/pending", headers=bearer(token))
    assert back.status_code == 200 and back.json["pending"] is None
    gone = aurora.delete("/api/v1/limits/deposit/week/pending", headers=bearer(token))
    assert (gone.status_code, gone.json["code"]) == (404, "limit_not_pending")


@pytest.mark.parametrize(
    "amount, code",
    [("-1", "amount_invalid"), ("1e3", "amount_invalid"), (" 1", "amount_invalid"), ("0.001", "amount_too_fine"),
     ("9" * 20, "amount_invalid"), (10, "fields_invalid"), ("١", "amount_invalid"), (True, "fields_invalid")],
)  # fmt: skip
def test_amounts_that_are_none(aurora: FlaskClient, alpha: TenantRef, amount: Any, code: str) -> None:
    _, token = register(aurora, alpha)
    answer = aurora.put("/api/v1/limits/deposit/day", json={"amount": amount}, headers=bearer(token))
    assert (answer.status_code, answer.json["code"]) == (422, code)
    good = aurora.put("/api/v1/limits/deposit/day", json={"amount": "0"}, headers=bearer(token))
    assert (good.status_code, good.json["amount"]) == (200, "0.00")


def test_an_unknown_period_is_no_address(aurora: FlaskClient, alpha: TenantRef) -> None:
    _, token = register(aurora, alpha)
    answer = aurora.put("/api/v1/limits/deposit/year", json={"amount": "1"}, headers=bearer(token))
    assert answer.status_code == 404


def test_an_exclusion_ends_this_session_too(aurora: FlaskClient, alpha: TenantRef) -> None:
    told, token = register(aurora, alpha)
    assert aurora.get("/api/v1/exclusions", headers=bearer(token)).json == {"exclusion": None}
    wrong = aurora.post("/api/v1/exclusions", json={"kind": "time_out", "duration": "1h"}, headers=bearer(token))
    assert wrong.status_code == 422 and set(wrong.json["errors"]) == {"duration"}
    made = aurora.post("/api/v1/exclusions", json={"kind": "time_out", "duration": "24h"}, headers=bearer(token))
    assert made.status_code == 201 and made.json["kind"] == "time_out"
    assert aurora.get("/api/v1/me", headers=bearer(token)).status_code == 401
    again = aurora.post("/api/v1/sessions", json={"email": told["email"], "password": told["password"]})
    found = aurora.get("/api/v1/exclusions", headers=bearer(again.json["token"])).json
    assert found["exclusion"]["ends_at"] == made.json["ends_at"]


def test_identity_over_the_wire_without_a_vendor(nordlys: FlaskClient, bravo: TenantRef) -> None:
    """The shared operator's vendor is out of reach (tests/compliance/test_identity.py has a real one)."""
    _, token = register(nordlys, bravo)
    state = nordlys.get("/api/v1/identity", headers=bearer(token)).json
    assert state == {"verified_at": None, "required": True, "order_id": None, "status": None, "refusal": None}
    begun = nordlys.post("/api/v1/identity", json={}, headers=bearer(token))
    assert (begun.status_code, begun.json["code"], begun.json["retryable"]) == (503, "identity_unavailable", True)
    for order_id in ("ord-1", "%00", "%ED%A0%80", "x" * 300):
        unknown = nordlys.post(f"/api/v1/identity/{order_id}/complete", headers=bearer(token))
        assert (unknown.status_code, unknown.json["code"]) == (404, "identity_order_unknown")


@pytest.mark.parametrize(
    "address",
    ["http://evil.example/", "https://bravo.localhost/x", "//evil.example", "http://bravo.localhost:81/",
     "http://bravo.localhost@evil.example/", "javascript:alert(1)", "/\\evil.example", "http://bravo.localhost.evil/"],
)  # fmt: skip
def test_the_way_back_leads_to_this_site_only(nordlys: FlaskClient, bravo: TenantRef, address: str) -> None:
    _, token = register(nordlys, bravo)
    refused = nordlys.post("/api/v1/identity", json={"return_url": address}, headers=bearer(token))
    assert refused.status_code == 422 and set(refused.json["errors"]) == {"return_url"}
    for good in ("/account/identity", "http://bravo.localhost/account/identity?x=1"):
        passed = nordlys.post("/api/v1/identity", json={"return_url": good}, headers=bearer(token))
        assert passed.json["code"] == "identity_unavailable"


# --- staff -----------------------------------------------------------------------------------------------------------


def test_who_may_see_players_and_how_much(office: FlaskClient, aurora: FlaskClient, alpha: TenantRef) -> None:
    told, token = register(aurora, alpha)
    public_id = aurora.get("/api/v1/me", headers=bearer(token)).json["id"]
    people_here: dict[str, accounts.Staff] = {}
    for role, status, masked in (("support", 200, True), ("payments", 200, False), ("product", 403, None)):
        people_here[role] = hire(alpha, role)
        headers = bearer(staff_token(office, people_here[role]))
        listed = office.get(f"/api/v1/players?query={told['email'][:-4]}", headers=headers)
        seen = office.get(f"/api/v1/players/{public_id}", headers=headers)
        assert listed.status_code == seen.status_code == status
        if masked is not None:
            assert [one["id"] for one in listed.json["items"]] == [public_id]
            assert told["email"] not in str(listed.json) and told["last_name"] not in str(listed.json)
            assert seen.json["masked"] is masked
            assert (told["email"] in str(seen.json)) is not masked
            assert (told["birth_date"] in str(seen.json)) is not masked
    with unit_of_work(alpha) as work:
        entries = audit.entries(work, before=None, limit=10, subject=f"player:{public_id}")
    told_of = [(entry.action, entry.actor_id) for entry in entries]
    assert told_of == [("player.revealed", people_here["payments"].public_id)], "only the look in full is written down"


def test_the_other_operators_player_does_not_exist(
    office: FlaskClient, other_office: FlaskClient, aurora: FlaskClient, alpha: TenantRef, bravo: TenantRef
) -> None:
    told, token = register(aurora, alpha)
    public_id = aurora.get("/api/v1/me", headers=bearer(token)).json["id"]
    for client, tenant, status, count in ((office, alpha, 200, 1), (other_office, bravo, 404, 0)):
        headers = bearer(staff_token(client, hire(tenant, "support")))
        assert client.get(f"/api/v1/players/{public_id}", headers=headers).status_code == status
        assert len(client.get(f"/api/v1/players?query={told['email']}", headers=headers).json["items"]) == count


@pytest.mark.parametrize("query", ["%00", "%ED%A0%80", "'", "%25", "_", "%0A"])
def test_strange_queries_find_nobody(office: FlaskClient, alpha: TenantRef, query: str) -> None:
    headers = bearer(staff_token(office, hire(alpha, "support")))
    answer = office.get(f"/api/v1/players?query=no-such-name{query}", headers=headers)
    assert answer.status_code == 200 and answer.json["items"] == []


def test_a_list_comes_in_pages(office: FlaskClient, aurora: FlaskClient, alpha: TenantRef) -> None:
    name = people.unique_name()
    made = [register(aurora, alpha, last_name=name, birth_date=f"1990-05-{day:02d}")[0]["email"] for day in (1, 2, 3)]
    headers = bearer(staff_token(office, hire(alpha, "support")))
    first = office.get(f"/api/v1/players?query={name}&limit=2", headers=headers).json
    rest = office.get(f"/api/v1/players?query={name}&limit=2&before={first['next']}", headers=headers).json
    shown = [one["email"][0] for one in first["items"] + rest["items"]]
    assert shown == [email[0] for email in reversed(made)] and rest["next"] is None
    assert "_key" not in first["items"][0]


# --- legal regions ---------------------------------------------------------------------------------------------------


def test_legal_regions_say_what_the_jurisdiction_wants(alpha: TenantRef, bravo: TenantRef) -> None:
    now = clock.now()
    swedish = compliance.slots(people.brand_site(bravo), None, now)
    assert set(swedish) == {"age.gate", "legal.footer", "licence.seal", "safer_gambling.bar", "session.clock"}
    assert swedish["licence.seal"]["regulator"] == "Spelinspektionen"
    assert [link["label"] for link in swedish["safer_gambling.bar"]["links"]][:3] == ["Spelpaus", "Limits", "Self-test"]
    assert "Bravo AB" in swedish["legal.footer"]["text"] and swedish["session.clock"] == {}
    player = people.register(alpha)
    maltese = compliance.slots(people.brand_site(alpha), player, now, now.replace(microsecond=0))
    assert maltese["session.clock"]["elapsed"] == "0:00:00" and maltese["age.gate"]["min_age"] == 18
    assert "1777" in maltese["safer_gambling.bar"]["text"] and "{" not in maltese["legal.footer"]["text"]
