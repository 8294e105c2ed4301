"""Sending a letter to a player: in the brand's name, through the operator's message integration."""

from __future__ import annotations

import logging
from typing import cast

from whitefelt import tenancy
from whitefelt.accounts import Player
from whitefelt.crm import letters
from whitefelt.crm.letters import Letter
from whitefelt.crm.ports import Account, Mail, MessageVendor, RecipientRefused
from whitefelt.kernel import registry, settings
from whitefelt.kernel.context import TenantRef

log = logging.getLogger("whitefelt.crm")


def send(tenant: TenantRef, player: Player, letter: Letter, *, reference: str) -> bool:
    """Send now; call it outside of any transaction. False when it cannot be sent, now or later (no integration, address
    refused); a VendorError when trying again may help. The same `reference` marks a repeated mail as the same one.
    """
    found = tenancy.integrations_of(tenant, "message")
    if not found:
        log.warning("operator %s has no message integration: %s is not sent", tenant.slug, reference)
        return False
    integration = found[0]
    vendor = cast("MessageVendor", registry.connector("message", integration.vendor))
    brand = tenancy.brand_by_id(player.brand_id)
    about = {"brand": brand.name, "name": player.first_name, "site_url": _site_url(tenant, player)}
    mail = Mail(
        to=player.email, sender_name=brand.name, subject=letter.subject, text=letters.as_text(letter, **about),
        html=letters.as_html(letter, **about), reference=reference,
    )  # fmt: skip
    try:
        vendor.send(Account(integration.config, integration.secrets), mail)
    except RecipientRefused:
        log.warning("the address of player %s is refused: %s is not sent", player.public_id, reference)
        return False
    return True


def _site_url(tenant: TenantRef, player: Player) -> str:
    """The origin of the player's site: the brand's in the player's jurisdiction."""
    told = settings.current()
    port = "" if told.scheme == "https" else f":{told.port}"
    sites = [site for site in tenancy.sites_of(tenant) if site.brand is not None and site.brand.id == player.brand_id]
    for site in sorted(sites, key=lambda one: one.jurisdiction != player.jurisdiction):
        return f"{told.scheme}://{site.host}{port}"
    return f"{told.scheme}://localhost{port}"
