"""Refusals of the library and of launching."""

from whitefelt.kernel.errors import Code

GAME_UNKNOWN = Code("game_unknown", 404, "There is no such game here.")
PROVIDER_UNAVAILABLE = Code(
    "provider_unavailable", 503, "The game's provider is out of reach. Try again soon.", retryable=True
)
