"""Tenancy: which operator, brand, domain and integration is this?

A tenant is the contracting operator (licence holder); its brands are rows, not schemas. One schema and one pinned role per
tenant; `platform.*` tables say who there is. Owns: platform.tenants, brands, domains, integrations. Imports: kernel, facts.
"""

from whitefelt.tenancy.directory import (
    Brand,
    Integration,
    Site,
    brand_by_id,
    brands_of,
    every_integration_of,
    forget,
    integration,
    integrations_of,
    legal_of,
    site_of,
    sites_of,
    tenant_by_slug,
    tenants,
)
from whitefelt.tenancy.fleet import Operator, operator, operators
from whitefelt.tenancy.provision import apply_folder, provision, supplier_site, upgrade_platform, upgrade_tenant

__all__ = [
    "Brand", "Integration", "Operator", "Site", "apply_folder", "brand_by_id", "brands_of", "every_integration_of",
    "forget", "integration", "integrations_of", "legal_of", "operator", "operators", "provision",
    "site_of", "sites_of", "supplier_site", "tenant_by_slug", "tenants", "upgrade_platform", "upgrade_tenant",
]  # fmt: skip
