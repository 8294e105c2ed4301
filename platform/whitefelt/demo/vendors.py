"""The sandbox vendors' side of the demo: where they listen, and the keys that they share with the operators."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whitefelt import tenancy
from whitefelt.kernel import settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.embedded.folder import write_private


def urls(ports: Mapping[str, int]) -> dict[str, str]:
    """Origin of each vendor by name."""
    return {name: f"http://127.0.0.1:{ports[name]}" for name in ("studio", "psp", "eid", "mail")}


def variables(ports: Mapping[str, int]) -> dict[str, str]:
    """What `{sandbox_..}` stands for in the operators' folders."""
    told = urls(ports)
    return {
        "sandbox_studio": told["studio"], "sandbox_psp": told["psp"], "sandbox_eid": told["eid"],
        "sandbox_smtp_port": str(ports["smtp"]),
    }  # fmt: skip


def config_path(data: Path, name: str) -> Path:
    """The vendor's configuration file."""
    return data / "sandbox" / f"{name}.json"


def callback_url(one: tenancy.Integration) -> str:
    """Where the vendor's servers call; empty for vendors that never call."""
    if one.kind not in ("play", "pay"):
        return ""
    return f"{settings.current().callback_base}/callbacks/{one.kind}/{one.public_id}"


def write_configs(data: Path, ports: Mapping[str, int], tenants: Sequence[TenantRef]) -> None:
    """Tell each vendor the keys that it shares with each operator, as a contract would."""
    wallets, merchants, parties = [], [], []
    for tenant in tenants:
        title = _shown_name(tenant)
        for one in tenancy.integrations_of(tenant):
            if one.kind == "play":
                wallets.append({"callback_url": callback_url(one), **one.secrets})
            elif one.kind == "pay":
                merchants.append({"name": tenant.slug, "title": title, **one.secrets})
            elif one.kind == "kyc":
                parties.append({"name": tenant.slug, "title": title, "key": one.secrets["relying_party_key"]})
    (data / "sandbox").mkdir(exist_ok=True)
    told: dict[str, dict[str, Any]] = {
        "studio": {"wallets": wallets, "base_url": urls(ports)["studio"]},
        "psp": {"merchants": merchants}, "eid": {"relying_parties": parties}, "mail": {},
    }  # fmt: skip
    for name, content in told.items():
        write_private(config_path(data, name), json.dumps(content))


def _shown_name(tenant: TenantRef) -> str:
    """The name that players know the operator by: its brands'."""
    brands = (site.brand.name for site in tenancy.sites_of(tenant) if site.brand is not None)
    return " and ".join(dict.fromkeys(brands)) or tenant.slug


def answers(port: int) -> bool:
    """True when a server's `/healthz` says 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
