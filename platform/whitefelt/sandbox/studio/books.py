"""The studio's books: launches, rounds, every message with its exact bytes, and every attempt to deliver it."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._books import Books
from .._clock import iso, now_ms
from .amounts import signed_text, to_text

_SCHEMA = """
CREATE TABLE IF NOT EXISTS launches (
  launch_id TEXT PRIMARY KEY, wallet TEXT NOT NULL, session TEXT NOT NULL, player TEXT NOT NULL, game TEXT NOT NULL,
  currency TEXT NOT NULL, language TEXT NOT NULL, lobby_url TEXT, created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outcomes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, wallet TEXT, player TEXT NOT NULL, game TEXT, spec TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rounds (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, round_id TEXT UNIQUE NOT NULL, wallet TEXT NOT NULL, session TEXT NOT NULL,
  player TEXT NOT NULL, game TEXT NOT NULL, currency TEXT NOT NULL, stake_cents INTEGER NOT NULL, bets TEXT,
  outcome TEXT NOT NULL, win_cents INTEGER NOT NULL, state TEXT NOT NULL, created_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS rounds_player ON rounds (wallet, player, seq);
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, transaction_id TEXT UNIQUE NOT NULL, round_id TEXT NOT NULL,
  wallet TEXT NOT NULL, kind TEXT NOT NULL, amount_cents INTEGER NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL, answer_status INTEGER, answer TEXT,
  created_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS messages_round ON messages (round_id, seq);
CREATE INDEX IF NOT EXISTS messages_pending ON messages (next_ms) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS attempts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, transaction_id TEXT NOT NULL, at_ms INTEGER NOT NULL, status INTEGER,
  answer TEXT, error TEXT);
CREATE INDEX IF NOT EXISTS attempts_message ON attempts (transaction_id, seq);
"""

LAUNCH_LIFE_MS = 24 * 3600 * 1000


def open_books(folder: Path) -> Books:
    """The studio's books in a folder, created when new."""
    return Books(folder / "studio.sqlite3", _SCHEMA)


def new_id(prefix: str) -> str:
    """A fresh id that nobody can guess and that never comes twice."""
    return f"{prefix}-{secrets.token_hex(10)}"


def add_launch(books: Books, launch: Mapping[str, str | None]) -> str:
    """Remember how a game was opened; the page only ever knows this id. Launches of yesterday are forgotten."""
    launch_id = secrets.token_urlsafe(18)
    columns = ("wallet", "session", "player", "game", "currency", "language", "lobby_url")
    with books.transaction():
        books.write("DELETE FROM launches WHERE created_ms < ?", (now_ms() - LAUNCH_LIFE_MS,))
        books.write(
            "INSERT INTO launches VALUES (?,?,?,?,?,?,?,?,?)",
            (launch_id, *(launch[column] for column in columns), now_ms()),
        )
    return launch_id


def add_round(books: Books, row: Mapping[str, Any]) -> None:
    """Write a round with its drawn outcome before anything is sent."""
    columns = "round_id,wallet,session,player,game,currency,stake_cents,bets,outcome,win_cents,state,created_ms"
    values = [row[column] for column in columns.split(",")[:-1]]
    books.write(f"INSERT INTO rounds ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", (*values, now_ms()))  # noqa: S608


def set_round(books: Books, round_id: str, state: str) -> None:
    """Move a round on."""
    books.write("UPDATE rounds SET state = ? WHERE round_id = ?", (state, round_id))


def add_message(books: Books, round_id: str, wallet: str, kind: str, amount_cents: int, body: Mapping[str, Any]) -> str:
    """Write a message's exact bytes; its transaction id. It is pending from here until answered."""
    transaction_id = str(body["transaction_id"])
    raw = json.dumps(body, separators=(",", ":")).encode()
    books.write(
        "INSERT INTO messages (transaction_id,round_id,wallet,kind,amount_cents,body,state,next_ms,created_ms)"
        " VALUES (?,?,?,?,?,?,'pending',?,?)",
        (transaction_id, round_id, wallet, kind, amount_cents, raw, now_ms(), now_ms()),
    )
    return transaction_id


def message_of(books: Books, transaction_id: str) -> sqlite3.Row | None:
    """A message by its transaction id."""
    return books.row("SELECT * FROM messages WHERE transaction_id = ?", (transaction_id,))


def round_of(books: Books, round_id: str) -> sqlite3.Row | None:
    """A round by its id."""
    return books.row("SELECT * FROM rounds WHERE round_id = ?", (round_id,))


def add_attempt(books: Books, transaction_id: str, status: int | None, answer: str | None, error: str | None) -> None:
    """Write down what one delivery brought back."""
    with books.transaction():
        books.write(
            "INSERT INTO attempts (transaction_id,at_ms,status,answer,error) VALUES (?,?,?,?,?)",
            (transaction_id, now_ms(), status, answer, error),
        )
        books.write("UPDATE messages SET tries = tries + 1 WHERE transaction_id = ?", (transaction_id,))


def finish_message(books: Books, transaction_id: str, state: str, status: int | None, answer: str | None) -> None:
    """A message has its final state: ``ok``, ``refused`` or ``given_up``."""
    books.write(
        "UPDATE messages SET state = ?, answer_status = ?, answer = ? WHERE transaction_id = ?",
        (state, status, answer, transaction_id),
    )


def postpone(books: Books, transaction_id: str, wait_ms: int) -> None:
    """A message stays pending and is due again after this long."""
    books.write("UPDATE messages SET next_ms = ? WHERE transaction_id = ?", (now_ms() + wait_ms, transaction_id))


def story_of(books: Books, round_id: str) -> dict[str, Any]:
    """A round with all its messages and attempts, ready for JSON."""
    row = round_of(books, round_id)
    assert row is not None
    messages = books.rows("SELECT * FROM messages WHERE round_id = ? ORDER BY seq", (round_id,))
    return {
        **{name: row[name] for name in ("round_id", "wallet", "player", "session", "game", "currency", "state")},
        "stake": to_text(row["stake_cents"]),
        "win": to_text(row["win_cents"]),
        "bets": json.loads(row["bets"]) if row["bets"] else None,
        "outcome": json.loads(row["outcome"]),
        "created_at": iso(row["created_ms"]),
        "messages": [_told(books, message) for message in messages],
    }


def _told(books: Books, message: sqlite3.Row) -> dict[str, Any]:
    attempts = books.rows("SELECT * FROM attempts WHERE transaction_id = ? ORDER BY seq", (message["transaction_id"],))
    return {
        "transaction_id": message["transaction_id"],
        "type": message["kind"],
        "amount": to_text(message["amount_cents"]),
        "state": message["state"],
        "body": bytes(message["body"]).decode(),
        "status": message["answer_status"],
        "answer": loosely(message["answer"]),
        "attempts": [
            {"status": row["status"], "answer": loosely(row["answer"]), "error": row["error"]} for row in attempts
        ],
    }


def loosely(answer: str | None) -> Any:
    """An answer as JSON where it is JSON, else as it came."""
    try:
        return json.loads(answer) if answer is not None else None
    except (ValueError, RecursionError):
        return answer


_TOTALS = """
SELECT r.wallet, r.player, r.currency, count(DISTINCT r.round_id) AS rounds,
  sum(CASE WHEN m.kind = 'bet' AND m.state = 'ok' THEN m.amount_cents ELSE 0 END) AS stakes,
  sum(CASE WHEN m.kind = 'win' AND m.state = 'ok' THEN m.amount_cents ELSE 0 END) AS wins,
  sum(CASE WHEN m.kind = 'refund' AND m.state = 'ok' AND EXISTS (SELECT 1 FROM messages b WHERE
        b.round_id = m.round_id AND b.kind = 'bet' AND b.state = 'ok') THEN m.amount_cents ELSE 0 END) AS refunds,
  sum(CASE WHEN m.kind = 'bet' AND m.state = 'given_up' THEN m.amount_cents ELSE 0 END) AS given_up,
  sum(m.state = 'pending') AS pending, sum(m.state = 'refused') AS refused
FROM rounds r JOIN messages m ON m.round_id = r.round_id
WHERE (:wallet IS NULL OR r.wallet = :wallet) AND (:player IS NULL OR r.player = :player)
GROUP BY r.wallet, r.player, r.currency ORDER BY r.wallet, r.player, r.currency
"""


def totals(books: Books, wallet: str | None, player: str | None) -> list[dict[str, Any]]:
    """Per wallet, player and currency what the wallet must agree with: booked stakes, wins, refunds, and the net.

    A bet that was given up counts nowhere but in ``given_up``: its refund says that it never happened.
    """
    rows = books.rows(_TOTALS, {"wallet": wallet, "player": player})
    return [
        {
            **{name: row[name] for name in ("wallet", "player", "currency", "rounds", "pending", "refused")},
            **{name: to_text(row[name]) for name in ("stakes", "wins", "refunds", "given_up")},
            "net": signed_text(row["wins"] + row["refunds"] - row["stakes"]),
        }
        for row in rows
    ]
