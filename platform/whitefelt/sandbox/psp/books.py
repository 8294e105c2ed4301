"""Sandpay's books: payments, payouts, remembered answers, and every event with its exact bytes."""

import json
import secrets
import sqlite3
from pathlib import Path
from typing import Any

from .._books import Books
from .._clock import now_ms

_SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, merchant TEXT NOT NULL, reference TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, return_url TEXT NOT NULL, webhook_url TEXT NOT NULL,
  description TEXT, customer TEXT, redirect_url TEXT NOT NULL, status TEXT NOT NULL, authorisation INTEGER,
  reason TEXT, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS payments_reference ON payments (reference);
CREATE TABLE IF NOT EXISTS payouts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, merchant TEXT NOT NULL, reference TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, webhook_url TEXT NOT NULL, token TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT, created_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS payouts_reference ON payouts (reference);
CREATE TABLE IF NOT EXISTS answers (
  merchant TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT NOT NULL,
  PRIMARY KEY (merchant, key));
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, merchant TEXT NOT NULL, subject TEXT NOT NULL,
  reference TEXT NOT NULL, type TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, copies INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL,
  last_status INTEGER, last_error TEXT, created_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS events_pending ON events (next_ms) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS mode (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

PAYMENT_LIFE_MS = 30 * 60 * 1000
DEFAULT_MODE: dict[str, Any] = {
    "webhook_delay_ms": 0,
    "duplicate": 0,
    "hold": False,
    "drop_first_n": 0,
    "payout": "paid",
    "payout_delay_ms": None,
    "start": "ok",
    "slow_ms": 3000,
}


def open_books(folder: Path) -> Books:
    """Sandpay's books in a folder, created when new."""
    return Books(folder / "psp.sqlite3", _SCHEMA)


def new_id(prefix: str) -> str:
    """A fresh id that nobody can guess."""
    return f"{prefix}_{secrets.token_hex(12)}"


def mode_of(books: Books) -> dict[str, Any]:
    """How Sandpay behaves at the moment; kept in the books, so that a restart changes nothing."""
    return {**DEFAULT_MODE, **{row["name"]: json.loads(row["value"]) for row in books.rows("SELECT * FROM mode")}}


def set_mode(books: Books, changes: dict[str, Any]) -> None:
    """Change how Sandpay behaves from now on."""
    with books.transaction():
        for name, value in changes.items():
            books.write("INSERT OR REPLACE INTO mode VALUES (?,?)", (name, json.dumps(value)))


def payment_told(row: sqlite3.Row) -> dict[str, Any]:
    """A payment as merchants see it."""
    told = {name: row[name] for name in ("id", "status", "reference", "amount", "currency", "redirect_url")}
    if row["status"] == "paid":
        told["authorisation"] = row["authorisation"]
    if row["status"] == "declined":
        told["reason"] = row["reason"]
    return told


def payout_told(row: sqlite3.Row) -> dict[str, Any]:
    """A payout as merchants see it."""
    told = {name: row[name] for name in ("id", "status", "reference", "amount", "currency")}
    told["destination"] = {"token": row["token"]}
    if row["status"] == "failed":
        told["reason"] = row["reason"]
    return told


def settle_payment(books: Books, payment_id: str, status: str, reason: str | None = None) -> bool:
    """Move an open payment to its final status and write its event, or do nothing: False when it is no longer open."""
    with books.transaction():
        authorisation = 100_000 + secrets.randbelow(900_000) if status == "paid" else None
        moved = books.write(
            "UPDATE payments SET status = ?, reason = ?, authorisation = ? WHERE id = ? AND status = 'created'",
            (status, reason, authorisation, payment_id),
        )
        row = books.row("SELECT * FROM payments WHERE id = ?", (payment_id,))
        if not moved or row is None:
            return False
        _add_event(books, row, f"payment.{status}", payment_told(row))
    return True


def settle_payout(books: Books, payout_id: str, status: str, reason: str | None = None) -> bool:
    """Move a pending payout to its final status and write its event; False when it is no longer pending."""
    with books.transaction():
        moved = books.write(
            "UPDATE payouts SET status = ?, reason = ? WHERE id = ? AND status = 'pending'",
            (status, reason, payout_id),
        )
        row = books.row("SELECT * FROM payouts WHERE id = ?", (payout_id,))
        if not moved or row is None:
            return False
        _add_event(books, row, f"payout.{status}", payout_told(row))
    return True


def _add_event(books: Books, row: sqlite3.Row, kind: str, data: dict[str, Any]) -> None:
    mode = mode_of(books)
    event_id = new_id("evt")
    body = {"id": event_id, "type": kind, "created": now_ms() // 1000, "data": data}
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    books.write(
        "INSERT INTO events (id,merchant,subject,reference,type,url,body,state,copies,next_ms,created_ms)"
        " VALUES (?,?,?,?,?,?,?,'pending',?,?,?)",
        (
            event_id,
            row["merchant"],
            row["id"],
            row["reference"],
            kind,
            row["webhook_url"],
            raw,
            mode["duplicate"],
            now_ms() + mode["webhook_delay_ms"],
            now_ms(),
        ),
    )
