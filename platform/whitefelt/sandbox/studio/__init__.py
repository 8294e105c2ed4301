"""Lumen Forge, the sandbox's game studio: two games, a server speaking the native play protocol, a control.

``maths`` (with ``orchard`` and ``roulette``) is pure and states the returns by enumeration; ``outcomes`` draws;
``rounds`` plays a round against the operator's wallet; ``wallet_client`` signs and sends; ``books`` remembers
everything before it is sent; ``app`` serves players; ``control`` serves tests. Nothing here is shared with the
wallet's side.
"""
