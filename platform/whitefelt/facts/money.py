"""Facts about money entering, leaving and moving. Amounts are integers in the ledger's scale of `currency`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from whitefelt.kernel.outbox import Fact


@dataclass(frozen=True, slots=True)
class PaymentNotified(Fact):
    """A payment provider's notification lies in the inbox; `payment` is what it is about, as far as could be read."""

    NAME: ClassVar[str] = "money.payment_notified"

    integration_id: int
    inbox_id: int
    payment: str

    @property
    def key(self) -> str:
        return f"payment:{self.payment}"


@dataclass(frozen=True, slots=True)
class _Deposit(Fact):
    deposit_id: int
    deposit_public_id: str
    player_id: int
    amount_units: int
    currency: str

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"


@dataclass(frozen=True, slots=True)
class DepositSettled(_Deposit):
    """A deposit's money is in the player's pocket."""

    NAME: ClassVar[str] = "money.deposit_settled"

    journal_id: int | None = None


@dataclass(frozen=True, slots=True)
class DepositFailed(_Deposit):
    """A deposit ended without money; `status` failed, cancelled or expired, `reason` a stable code."""

    NAME: ClassVar[str] = "money.deposit_failed"

    status: str = "failed"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Withdrawal(Fact):
    withdrawal_id: int
    withdrawal_public_id: str
    player_id: int
    amount_units: int
    currency: str

    @property
    def key(self) -> str:
        return f"withdrawal:{self.withdrawal_id}"


@dataclass(frozen=True, slots=True)
class WithdrawalRequested(_Withdrawal):
    """A player asked for money; it is pending. `reasons`: why the request waits for a person, empty if it does not."""

    NAME: ClassVar[str] = "money.withdrawal_requested"

    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WithdrawalApproved(_Withdrawal):
    """A request may be paid out; `approved_by` is a staff id or `system`."""

    NAME: ClassVar[str] = "money.withdrawal_approved"

    approved_by: str = "system"


@dataclass(frozen=True, slots=True)
class WithdrawalRejected(_Withdrawal):
    """A request was refused; the money is back in the pocket."""

    NAME: ClassVar[str] = "money.withdrawal_rejected"

    reason: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawalPaid(_Withdrawal):
    """The payment provider paid; the money has left."""

    NAME: ClassVar[str] = "money.withdrawal_paid"


@dataclass(frozen=True, slots=True)
class WithdrawalFailed(_Withdrawal):
    """The payment provider could not pay; the money is back in the pocket."""

    NAME: ClassVar[str] = "money.withdrawal_failed"

    reason: str = ""


@dataclass(frozen=True, slots=True)
class MoneyPosted(Fact):
    """A row of the journal that moved money: `debit_pocket` gave, `credit_pocket` received. Never recorded: the journal
    is its stream. `owner` is the home pocket's owner, `posted_at` an ISO 8601 instant."""

    NAME: ClassVar[str] = "money.posted"

    journal_id: int
    source: int
    ref: str
    leg: int
    kind: str
    owner: str
    home_pocket: int
    debit_pocket: int
    credit_pocket: int
    amount_units: int
    currency: str
    posted_at: str
    hold_id: int | None = None

    @property
    def key(self) -> str:
        return f"pocket:{self.home_pocket}"
