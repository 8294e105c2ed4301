"""What the player reads when a round does not go its usual way: what happened, what is safe, what to do."""

_REFUSALS = {
    "insufficient_funds": "Not enough money for this stake: your balance is untouched.",
    "session_expired": "Your game session has ended: your balance is untouched. Please open the game again.",
    "session_unknown": "Your game session is not known: your balance is untouched. Please open the game again.",
    "stakes_not_allowed": "Staking is not open to your account right now: your balance is untouched.",
    "limit_reached": "A limit on your account stops this stake: your balance is untouched.",
    "game_unknown": "This casino does not offer the game at the moment: your balance is untouched.",
    "player_unknown": "The casino does not know this player: nothing was staked.",
    "currency_mismatch": "The game was opened in another currency: nothing was staked. Please open it again.",
    "transaction_rolled_back": "This round was called off: your balance is untouched.",
    "no_answer": "The casino does not answer right now: nothing was staked. Please try again shortly.",
}


def sentence_for(state: str, code: str | None, win: str) -> str:
    """One calm sentence for a round's state; empty when all went well. ``win`` as "12.00 EUR"."""
    if state == "refused":
        return _REFUSALS.get(code or "", "The casino did not accept this stake: your balance is untouched.")
    if state == "refunded":
        return "This round was called off and your stake was given back."
    if state == "given_up":
        return "The casino did not answer in time. The round was called off; a stake that was taken goes back to you."
    if state == "win_pending":
        return (
            f"Your win of {win} is safe and will be booked."
            if not win.startswith("0.00")
            else "The round is over; the casino will book it shortly."
        )
    if state == "win_refused":
        return f"The casino did not accept the booking of {win}. The round is on record; please contact support."
    return ""
