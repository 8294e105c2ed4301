"""Refusals of accounts."""

from whitefelt.kernel.errors import Code

CREDENTIALS_WRONG = Code("credentials_wrong", 401, "The e-mail address or the password is not right.")
TOO_MANY_ATTEMPTS = Code(
    "too_many_attempts", 429, "Too many failed attempts. Wait a while before the next one.", retryable=True
)
ACCOUNT_BLOCKED = Code("account_blocked", 403, "This account is blocked. Please contact support.")
#: One answer for a known address and for a known person: which of the two it was is not told.
ACCOUNT_EXISTS = Code("account_exists", 409, "There is an account with these details already. Sign in instead.")
IDENTITY_TAKEN = Code("identity_taken", 409, "This identity belongs to another account.")
PLAYER_UNKNOWN = Code("player_unknown", 404, "There is no such player.")
STAFF_EXISTS = Code("staff_exists", 409, "Someone with this e-mail address works here already.")
