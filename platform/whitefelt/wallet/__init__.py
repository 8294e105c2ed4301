"""The wallet: who owns how much, and why? It knows nobody: an owner is an opaque text.

Money moves only through the SQL functions of the tenant's schema (migrations/tenant/t0001_wallet.sql), one per kind of
movement, called inside a unit of work on the login `money` or as one autocommit trip. Owns: pockets, journal, holds,
counters, house_folds. Imports: kernel, facts.
"""

from whitefelt.wallet.movements import (
    adjust,
    bonus,
    claim,
    deposit,
    pay_out,
    refuse,
    release,
    reserve,
    restore,
    settle,
    stake,
)
from whitefelt.wallet.outcomes import Cap, Leg, Outcome
from whitefelt.wallet.pockets import (
    Balances,
    House,
    Pockets,
    balances,
    find_pockets,
    fold_house,
    house_balance,
    house_pocket,
    open_pockets,
    play_house,
    renew_terms,
    set_stakes_allowed,
    terms,
    used,
)
from whitefelt.wallet.queries import Hold, StatementLine, holds, journal_facts, journal_rows, open_reserve, statement
from whitefelt.wallet.verify import Fault, figures, verify

__all__ = [
    "Balances", "Cap", "Fault", "Hold", "House", "Leg", "Outcome", "Pockets", "StatementLine", "adjust",
    "balances", "bonus", "claim", "deposit", "figures", "find_pockets", "fold_house", "holds", "house_balance",
    "house_pocket", "journal_facts", "journal_rows", "open_pockets", "open_reserve", "pay_out", "play_house", "refuse",
    "release", "renew_terms", "reserve", "restore", "set_stakes_allowed", "settle", "stake", "statement", "terms", "used",
    "verify",
]  # fmt: skip
