"""Refusals of reporting."""

from whitefelt.kernel.errors import Code

DELIVERY_UNKNOWN = Code("delivery_unknown", 404, "There is no such delivery.")
DELIVERY_NOT_BLOCKED = Code("delivery_not_blocked", 409, "This delivery is not blocked any more.")
