"""How deposits and withdrawals read: state, what happened, what happens next. Pure."""

from __future__ import annotations

from whitefelt.cashier import Deposit, Withdrawal
from whitefelt.surfaces.storefront import wording
from whitefelt.surfaces.storefront.views import Action, Movement, MovementRow, TimelineStep
from whitefelt.theming import Look

_DEPOSIT = {
    "created": "pending", "redirected": "pending", "settled": "settled", "declined": "failed", "expired": "failed",
    "failed": "failed", "cancelled": "cancelled", "mismatch": "mismatch",
}  # fmt: skip
_TONE = {
    "pending": ("wait", "clock"), "settled": ("good", "check"), "failed": ("bad", "warn"), "cancelled": ("bad", "close"),
    "mismatch": ("wait", "clock"), "waiting": ("wait", "clock"), "approved": ("wait", "check"), "sent": ("wait", "out"),
    "paid": ("good", "check"), "rejected": ("bad", "info"),
}  # fmt: skip
_LOBBY, _CASHIER = Action("lobby", "/"), Action("cashier", "/cashier")
_AGAIN, _STATEMENT = Action("again", "/cashier/deposit"), Action("statement", "/account/statement")


def deposit_state(status: str) -> str:
    """Pending, settled, failed, cancelled or mismatch."""
    return _DEPOSIT[status]


def deposit_row(look: Look, found: Deposit, timezone: str) -> MovementRow:
    """A line of the cashier's list."""
    state = deposit_state(found.status)
    label = look.text("state.pending" if state == "mismatch" else f"state.{state}")
    return MovementRow(
        "deposit", f"/cashier/deposit/{found.public_id}", wording.moment(found.created_at, timezone),
        wording.money(found.money), "pending" if state == "mismatch" else state, label,
    )  # fmt: skip


def withdrawal_row(look: Look, found: Withdrawal, timezone: str) -> MovementRow:
    """A line of the cashier's list."""
    label = look.text("state.rejected" if found.status == "failed" else f"state.{found.status}")
    return MovementRow(
        "withdrawal", f"/cashier/withdraw/{found.public_id}", wording.moment(found.created_at, timezone),
        wording.money(found.money), found.status, label,
    )  # fmt: skip


def deposit_card(look: Look, found: Deposit, timezone: str) -> Movement:
    """The page of one deposit."""
    state = deposit_state(found.status)
    tone, icon = _TONE[state]
    steps: tuple[TimelineStep, ...]
    actions: tuple[Action, ...]
    asked = TimelineStep("requested", "done", wording.moment(found.created_at, timezone))
    if state == "settled":
        settled_at = wording.moment(found.settled_at or found.created_at, timezone)
        steps = (asked, TimelineStep("at_provider", "done"), TimelineStep("settled", "done", settled_at))
        actions = (_LOBBY, _STATEMENT)
    elif state in ("failed", "cancelled"):
        steps = (asked, TimelineStep("at_provider", "done"), TimelineStep("not_settled", "failed"))
        actions = (_AGAIN, _CASHIER)
    else:
        steps = (asked, TimelineStep("at_provider", "now"), TimelineStep("settled", "next"))
        actions = (_CASHIER,)
    return Movement(
        kind="deposit", state=state, tone=tone, icon=icon, amount=wording.money(found.money),
        title=look.text(f"outcome.deposit_{state}"), text=look.text(f"outcome.deposit_{state}_text"),
        reference=found.public_id, timeline=steps, actions=actions,
        poll_url=f"/-/deposit/{found.public_id}" if state == "pending" else "",
    )  # fmt: skip


def withdrawal_card(look: Look, found: Withdrawal, timezone: str) -> Movement:
    """The page of one withdrawal."""
    state = found.status
    tone, icon = _TONE[state]
    text = look.text(f"outcome.withdrawal_{state}_text")
    if state == "rejected" and found.note:
        text = f"{text} {look.text('outcome.withdrawal_note', note=found.note)}"
    done = state not in ("waiting", "approved", "sent")
    return Movement(
        kind="withdrawal", state=state, tone=tone, icon=icon, amount=wording.money(found.money),
        title=look.text(f"outcome.withdrawal_{state}"), text=text, reference=found.public_id,
        timeline=_withdrawal_steps(found, timezone), actions=(_CASHIER, _STATEMENT),
        poll_url="" if done else f"/-/withdrawal/{found.public_id}",
    )  # fmt: skip


def _withdrawal_steps(found: Withdrawal, timezone: str) -> tuple[TimelineStep, ...]:
    asked = TimelineStep("requested", "done", wording.moment(found.created_at, timezone))
    decided = wording.moment(found.decided_at, timezone) if found.decided_at else ""
    closed = wording.moment(found.closed_at, timezone) if found.closed_at else ""
    if found.status == "rejected":
        return (asked, TimelineStep("reviewed", "done", decided), TimelineStep("returned", "failed", closed or decided))
    if found.status == "failed":
        return (asked, TimelineStep("reviewed", "done", decided), TimelineStep("returned", "failed", closed))
    reached = ("waiting", "approved", "sent", "paid").index(found.status)

    def state(step: int) -> str:
        return "done" if reached > step else "now" if reached == step else "next"

    return (
        asked,
        TimelineStep("reviewed", state(0), decided),
        TimelineStep("on_its_way", "done" if reached > 2 else "now" if reached in (1, 2) else "next"),
        TimelineStep("paid", "done" if reached == 3 else "next", closed),
    )
