"""The statement: every debit and every credit of the player's pockets, with the balance after it."""

from __future__ import annotations

from flask import Response, request

from whitefelt import accounts, games, wallet
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.money import decimal
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import page, views, wording
from whitefelt.wallet import StatementLine

#: Postings on a page; a posting between two of the player's pockets gives two lines.
POSTINGS = 25


@access("player")
def statement() -> Response:
    """A page of it, newest first; `?before=` goes further back."""
    who, before = accounts.current_player(), _before()
    with unit_of_work(page.tenant()) as work:
        pockets = wallet.find_pockets(work, who.owner, who.currency)
        assert pockets is not None, "a player has pockets from registration on"
        lines = wallet.statement(work, pockets, before=before, limit=POSTINGS + 1)
    shown_ids = list(dict.fromkeys(line.journal_id for line in lines))[:POSTINGS]
    more = bool(lines) and lines[-1].journal_id not in shown_ids
    titles = {one.code: one.title for one in games.library(page.tenant())}
    shown = tuple(_line(line, titles) for line in lines if line.journal_id in shown_ids)
    return page.show(
        "statement", place="statement", lines=shown, newer_url="/account/statement" if before else "",
        older_url=f"/account/statement?before={shown_ids[-1]}" if more else "",
    )  # fmt: skip


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 19 else None


def _line(line: StatementLine, titles: dict[str, str]) -> views.StatementLine:
    look = page.look()
    kind = line.kind if f"entry.{line.kind}" in look.texts else "other"
    return views.StatementLine(
        kind=line.kind, label=look.text(f"entry.{kind}"), detail=_detail(line, titles),
        at=wording.moment(line.created_at, page.tenant().timezone), at_iso=line.created_at.isoformat(),
        pocket=line.pocket, credit=line.side == "credit", amount=wording.money(line.amount, signed=True),
        amount_plain=decimal(line.amount), after=wording.money(line.after),
    )  # fmt: skip


def _detail(line: StatementLine, titles: dict[str, str]) -> str:
    text = page.look().text
    if line.round_ref is not None:
        code = str(line.label.get("game", ""))
        return text("entry.round", game=titles.get(code, code), round=line.round_ref)
    if line.kind == "reserve":
        return text("entry.to_pending")
    if line.kind == "release":
        return text("entry.to_cash")
    whose, _, reference = line.ref.partition(":")
    if whose in ("deposit", "withdrawal") and reference:
        return text("entry.reference", reference=reference.partition(":")[0])
    return ""
