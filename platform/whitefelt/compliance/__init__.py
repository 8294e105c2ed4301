"""Compliance: is it allowed here, now, for this person? Rule-sets, registration, gates, limits, exclusion, identity.

Rules are data (jurisdictions/*.toml) with dates and sources; what is not stated has the strictest value. Whatever
changes a player's standing sets the wallet's stakes flag in the same transaction.
Owns: deposit_limits, exclusions, identity_cases. Imports: kernel, facts, tenancy, audit, accounts, wallet.
"""

from whitefelt.compliance.exclusions import (
    Exclusion,
    block_player,
    exclude,
    exclude_for,
    exclusion,
    settle_ended,
    unblock_player,
)
from whitefelt.compliance.gates import cap_problem, deposit_caps, deposit_gate, play_gate, stake_caps, withdraw_gate
from whitefelt.compliance.identity import (
    IdentityOrder,
    IdentityState,
    begin_identity,
    complete_identity,
    identity_state,
)
from whitefelt.compliance.limits import DepositLimit, Limits, Pending, cancel_pending, limits, set_deposit_limit
from whitefelt.compliance.registration import Application, admit
from whitefelt.compliance.rulebook import RulebookFault, RuleSet, jurisdictions, ruleset
from whitefelt.compliance.slots import slots

__all__ = [
    "Application", "DepositLimit", "Exclusion", "IdentityOrder", "IdentityState", "Limits", "Pending", "RuleSet",
    "RulebookFault", "admit", "begin_identity", "block_player", "cancel_pending", "cap_problem", "complete_identity",
    "deposit_caps", "deposit_gate", "exclude", "exclude_for", "exclusion", "identity_state", "jurisdictions", "limits",
    "play_gate", "ruleset", "set_deposit_limit", "settle_ended", "slots", "stake_caps", "unblock_player", "withdraw_gate",
]  # fmt: skip
