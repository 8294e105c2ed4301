"""Refusals of the cashier, by precedence."""

from whitefelt.kernel.errors import Code

DEPOSIT_UNKNOWN = Code("deposit_unknown", 404, "There is no such deposit.")
WITHDRAWAL_UNKNOWN = Code("withdrawal_unknown", 404, "There is no such withdrawal.")
IDEMPOTENCY_CONFLICT = Code("idempotency_conflict", 409, "This key was used for another request.")
IDEMPOTENCY_KEY_INVALID = Code("idempotency_key_invalid", 422, "An idempotency key has 1 to 128 printable characters.")
METHOD_UNKNOWN = Code("payment_method_unknown", 422, "This way to pay is not offered here.")
METHOD_NOT_USED = Code(
    "payment_method_not_used", 422, "Money can only be paid out to a method that you have deposited with."
)
AMOUNT_BELOW_MINIMUM = Code("amount_below_minimum", 422, "The amount is smaller than this method takes.")
AMOUNT_ABOVE_MAXIMUM = Code("amount_above_maximum", 422, "The amount is larger than this method takes at once.")
RETURN_URL_INVALID = Code("return_url_invalid", 422, "The return address must be on this site.")
LIMIT_REACHED = Code("limit_reached", 422, "This would pass your deposit limit.")
INSUFFICIENT_FUNDS = Code("insufficient_funds", 422, "There is not enough money for that.")
ALREADY_DECIDED = Code("already_decided", 409, "This withdrawal has been decided already.")
REASON_REQUIRED = Code("reason_required", 422, "Say why, so that the player and your colleagues can understand it.")

SIGNATURE_INVALID = Code("notification_signature_invalid", 401, "The signature does not fit the message.")
NOTIFICATION_INVALID = Code("notification_invalid", 400, "The message cannot be read.")
