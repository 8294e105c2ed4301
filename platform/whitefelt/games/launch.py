"""Launching a game: the gate, a session, and the provider's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from whitefelt import accounts, compliance, tenancy, wagering
from whitefelt.games.library import Title, title
from whitefelt.kernel import registry
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.db import money_work
from whitefelt.wagering.ports import Endpoint, Launch, PlayVendor


@dataclass(frozen=True, slots=True)
class Launched:
    """A game that is ready to be shown in a frame. `token` is what the provider's bets will carry."""

    url: str
    session_id: str
    token: str
    title: Title
    expires_at: datetime


def launch(tenant: TenantRef, player: accounts.Player, code: str, *, lobby_url: str, language: str = "en") -> Launched:
    """Open a session for that player and game. Errors: `game_unknown` and whatever the play gate refuses."""
    chosen = title(tenant, code)
    integration = tenancy.integration(chosen.integration)
    with money_work(tenant, Actor("player", player.public_id)) as work:
        compliance.play_gate(work, player)
        opened = wagering.open_session(work, player, integration, chosen.code)
    connector = cast("PlayVendor", registry.connector("play", integration.vendor))
    endpoint = Endpoint(integration.public_id, "", integration.config, integration.secrets)
    url = connector.launch_url(
        endpoint,
        Launch(
            session=opened.token, player=player.public_id, game=chosen.code, currency=player.currency,
            language=language, country=player.country, lobby_url=lobby_url,
        ),
    )  # fmt: skip
    return Launched(url, opened.public_id, opened.token, chosen, opened.expires_at)
