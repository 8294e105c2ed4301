"""Money for compliance's tests: the wallet is asked itself whether it takes a stake."""

from __future__ import annotations

import itertools
from hashlib import sha256

from whitefelt import accounts, wallet
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, money_work
from whitefelt.kernel.money import Money, parse

_refs = itertools.count(1)


def _ref(player: accounts.Player, what: str) -> str:
    return f"test-{what}:{player.public_id}:{next(_refs)}"


def _pockets(work: Work, player: accounts.Player) -> wallet.Pockets:
    found = wallet.find_pockets(work, player.owner, player.currency)
    assert found is not None
    return found


def fund(tenant: TenantRef, player: accounts.Player, amount: str) -> None:
    """Give the player cash, as an adjustment."""
    with money_work(tenant) as work:
        pockets = _pockets(work, player)
        house = wallet.house_pocket(work, "adjustment", player.currency)
        outcome = wallet.adjust(
            work, source=0, ref=_ref(player, "fund"), pockets=pockets, pocket=pockets.cash,
            money=parse(amount, player.currency), house=house, to_player=True,
        )  # fmt: skip
    assert outcome.posted, outcome


def may_stake(tenant: TenantRef, player: accounts.Player) -> bool:
    """Try a stake of one unit, funding the player for it. Anything but posted and `stakes_not_allowed` is a failure."""
    fund(tenant, player, "0.000001")
    with money_work(tenant) as work:
        pockets, house = _pockets(work, player), wallet.play_house(work, player.currency)
    ref = _ref(player, "stake")
    outcome = wallet.stake(
        tenant, source=0, ref=ref, digest=sha256(ref.encode()).digest(), pockets=pockets,
        money=Money(1, player.currency), house=house, round_ref=ref, label={"game": "test"}, close=True,
    )  # fmt: skip
    assert outcome.status in ("posted", "stakes_not_allowed"), outcome
    return outcome.posted
