"""What each role may do: one table, deny by default. A view names one permission; a role holds a set of them."""

from __future__ import annotations

from collections.abc import Mapping

#: Every permission of the back office, with what it lets someone do.
PERMISSIONS: Mapping[str, str] = {
    "players.read": "see players with masked personal data",
    "players.pii": "see a player's personal data in full; every look is written down",
    "players.block": "block a player or lift a block",
    "ledger.read": "see balances and statements",
    "adjustments.make": "ask for a manual credit or debit",
    "adjustments.check": "approve a manual credit or debit",
    "withdrawals.read": "see the queue of withdrawals",
    "withdrawals.decide": "approve or reject a withdrawal",
    "identity.read": "see the state of identity checks",
    "identity.decide": "decide identity checks",
    "limits.read": "see limits and exclusions",
    "limits.tighten": "tighten a player's limits, exclude a player",
    "limits.write": "change limits and exclusions as the rules allow",
    "games.read": "see games and providers",
    "games.write": "switch games and providers on and off",
    "rulesets.read": "see the rules of a jurisdiction",
    "deliveries.read": "see facts that could not be delivered",
    "deliveries.retry": "deliver a blocked fact again",
    "reports.read": "see reports",
    "staff.read": "see staff and roles",
    "staff.write": "add staff, change roles, end their sessions",
    "audit.read": "read the audit trail",
}

ROLES: Mapping[str, frozenset[str]] = {
    "operations": frozenset(
        {"players.read", "ledger.read", "withdrawals.read", "games.read", "games.write", "deliveries.read",
         "deliveries.retry", "rulesets.read", "reports.read"}
    ),
    "payments": frozenset(
        {"players.read", "players.pii", "ledger.read", "adjustments.make", "withdrawals.read", "withdrawals.decide",
         "identity.read", "deliveries.read", "deliveries.retry", "reports.read"}
    ),
    "compliance": frozenset(
        {"players.read", "players.pii", "players.block", "ledger.read", "withdrawals.read", "identity.read",
         "identity.decide", "limits.read", "limits.tighten", "limits.write", "rulesets.read", "reports.read",
         "audit.read"}
    ),
    "support": frozenset(
        {"players.read", "ledger.read", "adjustments.make", "withdrawals.read", "identity.read", "limits.read",
         "limits.tighten", "games.read", "rulesets.read"}
    ),
    "finance": frozenset({"ledger.read", "adjustments.check", "withdrawals.read", "rulesets.read", "reports.read"}),
    "product": frozenset({"games.read", "games.write", "rulesets.read", "reports.read"}),
    "security": frozenset({"staff.read", "staff.write", "audit.read", "reports.read"}),
    "auditor": frozenset({name for name in PERMISSIONS if name.endswith(".read")}),
}  # fmt: skip

#: The supplier's own people, on the supplier's console only.
SUPPLIER_PERMISSIONS: Mapping[str, str] = {
    "tenants.read": "see operators, brands and sites",
    "tenants.write": "add and change operators",
    "fleet.read": "see the state of processes, jobs and deliveries",
}
SUPPLIER_ROLES: Mapping[str, frozenset[str]] = {
    "administrator": frozenset(SUPPLIER_PERMISSIONS),
    "viewer": frozenset({"tenants.read", "fleet.read"}),
}


def permissions_of(role: str) -> frozenset[str]:
    """What that role of an operator's staff may do; nothing when the role is unknown."""
    return ROLES.get(role, frozenset())


def supplier_permissions_of(role: str) -> frozenset[str]:
    """What that role of the supplier's staff may do; nothing when the role is unknown."""
    return SUPPLIER_ROLES.get(role, frozenset())
