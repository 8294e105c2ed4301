"""Sandpay, the sandbox's payment provider: hosted page, signed webhooks, payouts (docs/protocols/sandbox-psp.md).

``money`` is pure; ``books`` remembers; ``api`` serves merchants; ``page`` serves payers; ``sender`` delivers webhooks
and decides payouts in the background; ``control`` serves tests. Nothing here is shared with the platform's connector.
"""
