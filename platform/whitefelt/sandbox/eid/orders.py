"""Nordkey's books: orders, who approved them, and how long they last."""

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from .._books import Books
from .._clock import iso, now_ms
from .._input import Refused, text_of, words_of
from .people import Identity, told

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT UNIQUE NOT NULL, party TEXT NOT NULL, reference TEXT NOT NULL,
  return_url TEXT NOT NULL, country TEXT NOT NULL, status TEXT NOT NULL, identity TEXT, created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL);
"""
LIFE_MS = 5 * 60 * 1000


def open_books(folder: Path) -> Books:
    """Nordkey's books in a folder, created when new."""
    return Books(folder / "eid.sqlite3", _SCHEMA)


def open_order(books: Books, party: str, reference: str, return_url: str, country: str) -> sqlite3.Row:
    """A new pending order of a relying party, valid for five minutes."""
    order_id = "ord_" + secrets.token_hex(12)
    books.write(
        "INSERT INTO orders (order_id,party,reference,return_url,country,status,created_ms,expires_ms)"
        " VALUES (?,?,?,?,?,'pending',?,?)",
        (order_id, party, reference, return_url, country, now_ms(), now_ms() + LIFE_MS),
    )
    row = order_of(books, order_id)
    assert row is not None
    return row


def order_of(books: Books, order_id: str) -> sqlite3.Row | None:
    """An order as it stands; one that has outlived its five minutes is expired from here on."""
    books.write(
        "UPDATE orders SET status = 'expired' WHERE order_id = ? AND status = 'pending' AND expires_ms <= ?",
        (order_id, now_ms()),
    )
    return books.row("SELECT * FROM orders WHERE order_id = ?", (order_id,))


def approve(books: Books, order_id: str, identity: Identity) -> bool:
    """Complete a pending order with this identity; False when it is pending no longer."""
    order_of(books, order_id)
    moved = books.write(
        "UPDATE orders SET status = 'complete', identity = ? WHERE order_id = ? AND status = 'pending'",
        (json.dumps(told(identity)), order_id),
    )
    return moved == 1


def cancel(books: Books, order_id: str) -> bool:
    """Cancel a pending order; False when it is pending no longer."""
    order_of(books, order_id)
    return (
        books.write("UPDATE orders SET status = 'cancelled' WHERE order_id = ? AND status = 'pending'", (order_id,))
        == 1
    )


def expire(books: Books, order_id: str) -> bool:
    """Let a pending order expire now; False when it is pending no longer."""
    return (
        books.write("UPDATE orders SET status = 'expired' WHERE order_id = ? AND status = 'pending'", (order_id,)) == 1
    )


def collected(row: sqlite3.Row, key: str) -> dict[str, Any]:
    """What collecting an order answers; a complete one carries the identity and its signature."""
    answer: dict[str, Any] = {name: row[name] for name in ("order_id", "reference", "status")}
    if row["status"] == "complete":
        identity = json.loads(row["identity"])
        signed = ".".join(
            (row["order_id"], row["reference"], identity["personal_number"], identity["birth_date"])
        ).encode()
        answer["identity"] = identity
        answer["signature"] = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    return answer


def opened(row: sqlite3.Row, base: str) -> dict[str, Any]:
    """What opening an order answers."""
    return {
        "order_id": row["order_id"],
        "status": row["status"],
        "redirect_url": f"{base}/identify/{row['order_id']}",
        "expires_at": iso(row["expires_ms"]),
    }


def read_identity(body: Mapping[str, Any], today: date) -> Identity:
    """A typed identity; ``Refused`` 400 with the field's name when one is missing or impossible."""
    number = text_of(body, "personal_number", limit=32)
    if not re.fullmatch(r"[A-Za-z0-9+-]+", number):
        raise Refused(400, "field_invalid", "personal_number takes digits, letters, + and - only.")
    try:
        born = date.fromisoformat(text_of(body, "birth_date", limit=10))
    except ValueError:
        raise Refused(400, "field_invalid", "birth_date must be a day such as 1990-01-31.") from None
    if not date(1900, 1, 1) <= born <= today:
        raise Refused(400, "field_invalid", "birth_date must be between 1900 and today.")
    first, last = words_of(body, "first_name", limit=80), words_of(body, "last_name", limit=80)
    return Identity(number, first, last, born.isoformat(), read_country(body))


def read_country(body: Mapping[str, Any]) -> str:
    """Two capital letters, as in ISO 3166."""
    country = body.get("country")
    if not isinstance(country, str) or not re.fullmatch(r"[A-Z]{2}", country):
        raise Refused(400, "field_invalid", "country must be two capital letters such as SE.")
    return country
