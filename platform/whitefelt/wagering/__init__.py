"""Wagering: the till. Did this bet or win happen, exactly once? The one door from play to money.

A provider's message is decoded by its connector, gated by compliance (bets only), booked by one wallet function, and
answered from the remembered outcome. Owns: play_sessions. Imports: tenancy, accounts, wallet, compliance.
"""

from whitefelt.wagering.callbacks import MAX_BODY_BYTES, receive
from whitefelt.wagering.queries import Round, rounds
from whitefelt.wagering.sessions import OpenedSession, end_sessions, open_session

__all__ = ["MAX_BODY_BYTES", "OpenedSession", "Round", "end_sessions", "open_session", "receive", "rounds"]
