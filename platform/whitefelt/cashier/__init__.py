"""The cashier: did money enter or leave?

Deposits, withdrawals, the ways to pay, and the inbox of payment providers. Money itself moves through the wallet; a
provider's connector is found by its name and implements `cashier.ports.PayVendor`.
Owns: deposits, withdrawals, payment_notifications.
Imports: kernel, facts, tenancy, wallet, audit, accounts, compliance.
"""

from whitefelt.cashier import callbacks, deposits, withdrawals
from whitefelt.cashier.callbacks import receive_at as receive
from whitefelt.cashier.methods import OfferedMethod, offered_method, offered_methods, origins
from whitefelt.cashier.queries import (
    Deposit,
    FlaggedNotification,
    QueueRow,
    Withdrawal,
    counts,
    deposits_of,
    flagged,
    has_settled_deposit,
    used_methods,
    withdrawals_of,
)
from whitefelt.cashier.rules import DEPOSIT_OPEN, REASONS, WITHDRAWAL_OPEN, WITHDRAWAL_STATUSES
from whitefelt.cashier.verify import Fault, verify

__all__ = [
    "DEPOSIT_OPEN", "REASONS", "WITHDRAWAL_OPEN", "WITHDRAWAL_STATUSES", "Deposit", "Fault", "FlaggedNotification",
    "OfferedMethod", "QueueRow", "Withdrawal", "callbacks", "counts", "deposits", "deposits_of", "flagged",
    "has_settled_deposit", "offered_method", "offered_methods", "origins", "receive", "used_methods", "verify",
    "withdrawals", "withdrawals_of",
]  # fmt: skip
