"""Refusals of compliance, by precedence: the first that applies is told. Each names its rule where one decides."""

from whitefelt.accounts import ACCOUNT_BLOCKED, IDENTITY_TAKEN
from whitefelt.kernel.errors import Code

UNDER_AGE = Code("under_age", 422, "You are too young to play here.")
COUNTRY_NOT_SERVED = Code("country_not_served", 422, "Players living in this country are not served here.")
DOCUMENTS_OUTDATED = Code("documents_outdated", 422, "Accept the documents in their current versions.")
ACCOUNT_CLOSED = Code("account_closed", 403, "This account is closed.")
EXCLUDED = Code("excluded", 403, "You have taken a break. Deposits and play are closed until it ends.")
IDENTITY_REQUIRED = Code("identity_required", 403, "Prove your identity first.")
LIMIT_REQUIRED = Code("limit_required", 403, "Set a deposit limit first.")
LIMIT_NOT_PENDING = Code("limit_not_pending", 404, "No change of this limit is waiting.")
PERIOD_NOT_OFFERED = Code("period_not_offered", 422, "A limit cannot be set for this period here.")
IDENTITY_MISMATCH = Code("identity_mismatch", 409, "This identity does not fit the details given at registration.")
IDENTITY_KNOWN = Code("identity_known", 409, "Your identity has been proven already.")
IDENTITY_ORDER_UNKNOWN = Code("identity_order_unknown", 404, "There is no such identity check.")
IDENTITY_UNAVAILABLE = Code(
    "identity_unavailable", 503, "The identity service is out of reach. Nothing is lost: try again.", retryable=True
)

__all__ = [
    "ACCOUNT_BLOCKED", "ACCOUNT_CLOSED", "COUNTRY_NOT_SERVED", "DOCUMENTS_OUTDATED", "EXCLUDED", "IDENTITY_KNOWN",
    "IDENTITY_MISMATCH", "IDENTITY_ORDER_UNKNOWN", "IDENTITY_REQUIRED", "IDENTITY_TAKEN", "IDENTITY_UNAVAILABLE",
    "LIMIT_NOT_PENDING", "LIMIT_REQUIRED", "PERIOD_NOT_OFFERED", "UNDER_AGE",
]  # fmt: skip
