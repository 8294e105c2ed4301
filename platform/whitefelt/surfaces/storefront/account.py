"""The account's front page."""

from __future__ import annotations

from datetime import UTC, datetime, time

from flask import Response

from whitefelt import accounts, compliance
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import breaks, identity, page, views, wording


@access("player")
def overview() -> Response:
    """Who the player is, and the ways to statement, identity, limits and breaks."""
    who, text, zone = accounts.current_player(), page.look().text, page.tenant().timezone
    with unit_of_work(page.tenant()) as work:
        state = compliance.identity_state(work, who)
        limits = compliance.limits(work, who)
        running = compliance.exclusion(work, who)
    periods = ", ".join(text(f"period.{one.period}") for one in limits.deposit if one.money is not None)
    born = wording.day(datetime.combine(who.birth_date, time(12), UTC), "UTC")
    rows = (
        views.Row("email", who.email), views.Row("birth_date", born),
        views.Row("country", wording.country(who.country, "en")), views.Row("currency", who.currency),
        views.Row("player_since", wording.day(who.created_at, zone)),
    )  # fmt: skip
    return page.show(
        "account", place="account", person=views.PersonCard(who.name, rows), identity=identity.state_card(state),
        limits=text("account.limits_some", periods=periods) if periods else text("account.limits_none"),
        exclusion=breaks.sentence(running),
    )  # fmt: skip
