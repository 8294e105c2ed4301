"""The supplier's console: the fleet, and never a player."""

from __future__ import annotations

import uuid

import pytest

from surfaces.office import PASSWORD, Browser, browser_of, funded, words
from whitefelt import accounts, tenancy
from whitefelt.kernel import db, ids, migration
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.outbox_models import DeliveryRow

HOST = "supplier.localhost"


def supplier(role: str) -> Browser:
    """A browser in which someone new of the supplier's is signed in."""
    tenancy.supplier_site(HOST)
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    with db.platform_work() as work:
        accounts.create_supplier_staff(work, email, "Sofia Marsh", role, PASSWORD)
    browser = Browser(HOST)
    assert browser.sign_in(email).location == "/"
    return browser


def test_operators_are_listed_with_where_they_live_and_how_they_are(alpha: TenantRef, bravo: TenantRef) -> None:
    listed = supplier("viewer").get("/")
    told = words(listed)
    for tenant in (alpha, bravo):
        assert f'href="/tenants/{tenant.slug}"' in listed.text
    assert migration.head("tenant") in told and "default" in told and "Sofia Marsh viewer" in told


def test_one_operator_with_brands_sites_and_integrations_but_no_secret_and_no_player(alpha: TenantRef) -> None:
    player = funded(alpha)
    page = supplier("administrator").get(f"/tenants/{alpha.slug}")
    told = words(page)
    for expected in ("Alpha One", "alpha.localhost", "alpha-office.localhost", "sandpay", "MT", "EUR", alpha.schema):
        assert expected in told, expected
    for integration in tenancy.integrations_of(alpha):
        for secret in integration.secrets.values():
            assert str(secret) not in page.text
    assert player.last_name not in page.text and player.public_id not in page.text


def test_a_blocked_fact_shows_as_the_operators_health(platform: object) -> None:
    ref = tenancy.provision(f"well-{ids.base32(6)}", "Well Ltd", "UTC")
    browser = supplier("viewer")
    assert "Well 0 under way" in words(browser.get(f"/tenants/{ref.slug}"))
    with db.unit_of_work(ref) as work:
        work.session.add(
            DeliveryRow(
                stream="outbox", fact_id=1, consumer="c", key="k", name="n", version=1, body={}, state="blocked"
            )
        )
    assert "1 blocked" in words(browser.get(f"/tenants/{ref.slug}"))


def test_the_list_turns_its_pages(alpha: TenantRef, bravo: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    from whitefelt.surfaces.supplier import operators

    monkeypatch.setattr(operators, "PAGE_SIZE", 1)
    newest = tenancy.provision(f"newest-{ids.base32(6)}", "Newest Ltd", "UTC")
    browser = supplier("viewer")
    first = browser.get("/")
    assert "Newest Ltd" in first.text and f"?before={newest.id}" in first.text
    assert "Newest Ltd" not in browser.get(f"/?before={newest.id}").text


def test_an_operators_staff_is_nobody_here_and_the_suppliers_nobody_there(alpha: TenantRef) -> None:
    inside = supplier("viewer")
    assert inside.get("/").status_code == 200
    office = browser_of(alpha, "security")
    assert office.get("/").status_code == 200
    for browser, other in ((office, HOST), (inside, office.host)):
        cookie = browser.client.get_cookie(accounts.SESSION_COOKIE, domain=browser.host)
        assert cookie is not None
        abroad = Browser(other)
        abroad.client.set_cookie(accounts.SESSION_COOKIE, cookie.value, domain=other)
        assert abroad.get("/").location == "/sign-in"


def test_signing_out_ends_the_session(platform: object) -> None:
    browser = supplier("viewer")
    assert browser.post("/sign-out").location == "/sign-in"
    assert browser.get("/").location == "/sign-in"
    assert browser.sign_in("nobody@example.com").status_code == 401
    assert browser.get(f"/tenants/{uuid.uuid4().hex[:8]}").status_code == 303


def test_an_unknown_operator_is_a_calm_page(platform: object) -> None:
    response = supplier("viewer").get("/tenants/nobody")
    assert response.status_code == 404 and "tenant_unknown" in response.text
