"""What tests may make go wrong between the studio and a wallet. Kept in memory: a restarted studio is an honest one."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._input import Refused, flag_of, text_of, whole_of
from .wallet_client import Tampering

KINDS = ("bet", "win", "refund")


@dataclass(frozen=True)
class Faults:
    """One set of faults; the default is none. See docs/protocols/sandbox-studio.md for each."""

    types: tuple[str, ...] = KINDS
    duplicate: int = 0
    parallel: bool = False
    drop_answer: int = 0
    slow_ms: int = 0
    bad_signature: bool = False
    bad_key: bool = False
    clock_skew_seconds: int = 0
    refund_before_bet: bool = False
    refund_instead_of_win: bool = False
    win_twice: bool = False
    hold_win: bool = False

    def tampering(self, kind: str, earlier_tries: int) -> Tampering:
        """What happens to this delivery of a message that was tried so often before."""
        if kind not in self.types:
            return Tampering()
        return Tampering(self.bad_signature, self.bad_key, self.clock_skew_seconds, earlier_tries < self.drop_answer)


def checked(body: Mapping[str, Any]) -> Faults:
    """Faults from a control request; ``Refused`` for what is none."""
    known = set(Faults.__dataclass_fields__) | {"wallet", "player"}
    unknown = sorted(set(body) - known)
    if unknown:
        raise Refused(400, "field_unknown", f"There is no fault named {unknown[0]!r}. See GET /control.")
    types = body.get("types", list(KINDS))
    if not isinstance(types, list) or not types or any(kind not in KINDS for kind in types):
        raise Refused(400, "field_invalid", "types must be a list of bet, win and refund.")
    return Faults(
        types=tuple(types),
        duplicate=whole_of(body, "duplicate", 0, 50, 0),
        parallel=flag_of(body, "parallel", False),
        drop_answer=whole_of(body, "drop_answer", 0, 50, 0),
        slow_ms=whole_of(body, "slow_ms", 0, 10_000, 0),
        bad_signature=flag_of(body, "bad_signature", False),
        bad_key=flag_of(body, "bad_key", False),
        clock_skew_seconds=whole_of(body, "clock_skew_seconds", -1_000_000, 1_000_000, 0),
        refund_before_bet=flag_of(body, "refund_before_bet", False),
        refund_instead_of_win=flag_of(body, "refund_instead_of_win", False),
        win_twice=flag_of(body, "win_twice", False),
        hold_win=flag_of(body, "hold_win", False),
    )


class FaultBoard:
    """The faults in force by wallet and player; the most exact entry wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._board: dict[tuple[str | None, str | None], Faults] = {}

    def put(self, body: Mapping[str, Any]) -> None:
        """Set the faults for ``wallet`` and ``player`` (each optional: all of them); no fault clears the entry."""
        key = (text_of(body, "wallet", default=None), text_of(body, "player", default=None))
        faults = checked(body)
        with self._lock:
            if faults == Faults(types=faults.types):
                self._board.pop(key, None)
            else:
                self._board[key] = faults

    def clear(self) -> None:
        """No faults for anybody."""
        with self._lock:
            self._board.clear()

    def of(self, wallet: str, player: str) -> Faults:
        """The faults for this player at this wallet."""
        with self._lock:
            for key in ((wallet, player), (None, player), (wallet, None), (None, None)):
                if key in self._board:
                    return self._board[key]
        return Faults()

    def listed(self) -> list[dict[str, Any]]:
        """All entries, ready for JSON."""
        with self._lock:
            return [{"wallet": w, "player": p, **asdict(faults)} for (w, p), faults in self._board.items()]
