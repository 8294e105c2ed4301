"""Nordkey over a real wire: order, the person's page, collect, and a signature checked by other code."""

import hashlib
import hmac
import http.client
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.vendors import Vendor
from whitefelt.sandbox.eid import people

KEY = "key-nordlys"
PERSON = {
    "personal_number": "198001019999",
    "first_name": "Åsa",
    "last_name": "Öberg",
    "birth_date": "1980-01-01",
    "country": "SE",
}


@pytest.fixture(scope="module")
def eid(start_vendor: Callable[..., Vendor]) -> Vendor:
    parties = [{"name": "Nordlys", "key": KEY}, {"name": "Aurora", "key": "key-aurora"}]
    return start_vendor("eid", {"relying_parties": parties})


def open_order(eid: Vendor, **changes: Any) -> tuple[int, Any]:
    body = {"reference": "reg-1", "return_url": "http://b.localhost:1/back", "country": "SE", **changes}
    return eid.post("/rp/v1/orders", body, {"Authorization": f"Bearer {KEY}"})


def collect(eid: Vendor, order_id: str, key: str = KEY) -> tuple[int, Any]:
    return eid.post(f"/rp/v1/orders/{order_id}/collect", None, {"Authorization": f"Bearer {key}"})


def submit(eid: Vendor, order_id: str, **form: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", eid.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/identify/{order_id}", urlencode(form), headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("Location")


def test_a_listed_person_approves_and_the_signature_holds(eid: Vendor) -> None:
    status, order = open_order(eid)
    assert status == 201 and order["status"] == "pending" and order["expires_at"].endswith("Z")
    assert collect(eid, order["order_id"])[1] == {
        "order_id": order["order_id"],
        "reference": "reg-1",
        "status": "pending",
    }
    page = eid.get(f"/identify/{order['order_id']}")[1]
    assert 'data-testid="identity-1"' in page and "under age" in page and "Nordlys" in page
    back = f"http://b.localhost:1/back?order={order['order_id']}"
    assert submit(eid, order["order_id"], action="approve", identity="1") == (303, back)
    found = collect(eid, order["order_id"])[1]
    person = found["identity"]
    assert (found["status"], person["first_name"]) == ("complete", "Astrid")
    signed = f"{order['order_id']}.reg-1.{person['personal_number']}.{person['birth_date']}"
    assert found["signature"] == hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert collect(eid, order["order_id"])[1] == found


def test_anybody_may_be_typed(eid: Vendor) -> None:
    order_id = open_order(eid)[1]["order_id"]
    assert submit(eid, order_id, action="approve", identity="other", **{**PERSON, "birth_date": "1980-13-01"})[0] == 400
    assert collect(eid, order_id)[1]["status"] == "pending"
    assert submit(eid, order_id, action="approve", identity="other", **PERSON)[0] == 303
    assert collect(eid, order_id)[1]["identity"] == PERSON


def test_cancelled_and_expired_orders_stay_so(eid: Vendor) -> None:
    order_id = open_order(eid)[1]["order_id"]
    assert submit(eid, order_id, action="cancel")[0] == 303
    assert collect(eid, order_id)[1]["status"] == "cancelled"
    assert eid.post(f"/control/orders/{order_id}/approve", PERSON)[0] == 409
    order_id = open_order(eid)[1]["order_id"]
    assert eid.post(f"/control/orders/{order_id}/expire")[0] == 200
    assert submit(eid, order_id, action="approve", identity="1")[0] == 303
    assert collect(eid, order_id)[1]["status"] == "expired"


def test_the_control_approves_without_a_browser(eid: Vendor) -> None:
    order_id = open_order(eid)[1]["order_id"]
    assert eid.post(f"/control/orders/{order_id}/approve", {**PERSON, "country": "Sweden"})[0] == 400
    assert eid.post(f"/control/orders/{order_id}/approve", PERSON)[0] == 200
    assert collect(eid, order_id)[1]["identity"] == PERSON
    order_id = open_order(eid)[1]["order_id"]
    assert eid.post(f"/control/orders/{order_id}/cancel")[1]["status"] == "cancelled"


def test_an_order_belongs_to_who_opened_it(eid: Vendor) -> None:
    order_id = open_order(eid)[1]["order_id"]
    assert collect(eid, order_id)[0] == 200
    assert collect(eid, order_id, "key-aurora")[0] == 404
    assert collect(eid, order_id, "nobody")[0] == 401
    assert collect(eid, "ord_none")[0] == 404


def test_orders_survive_kill_minus_nine(eid: Vendor) -> None:
    order_id = open_order(eid)[1]["order_id"]
    eid.post(f"/control/orders/{order_id}/approve", PERSON)
    before = collect(eid, order_id)
    eid.kill()
    eid.start()
    assert collect(eid, order_id) == before


@pytest.mark.parametrize(
    "changes", [{"country": "se"}, {"country": None}, {"reference": ""}, {"return_url": "/back"}, {"reference": 7}]
)
def test_rubbish_is_answered_with_a_code(eid: Vendor, changes: dict[str, Any]) -> None:
    assert open_order(eid)[0] == 201
    status, answer = open_order(eid, **changes)
    assert status == 400 and answer["error"]["code"] == "field_invalid"


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 12, 31), date(2028, 2, 29)])
def test_listed_persons_have_right_numbers_and_ages(today: date) -> None:
    listed = people.listed(today, "ord_1")
    assert all(_luhn(person.personal_number[2:]) for person in listed)
    assert not _luhn(listed[0].personal_number[2:-1] + str((int(listed[0].personal_number[-1]) + 1) % 10))
    ages = [people.years_between(date.fromisoformat(person.birth_date), today) for person in listed]
    assert ages[4] == 18 and ages[5] == 16 and all(age >= 18 for age in ages[:4] + ages[6:])
    assert people.newcomer("ord_1") != people.newcomer("ord_2")
