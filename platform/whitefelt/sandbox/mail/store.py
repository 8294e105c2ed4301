"""Postbox's books: every message as it came, and what a reader wants to see of it."""

import email
import email.policy
import re
import sqlite3
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from .._books import Books
from .._clock import iso, now_ms

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, subject TEXT NOT NULL, raw BLOB NOT NULL,
  received_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS recipients (message_id INTEGER NOT NULL, address TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS recipients_address ON recipients (address, message_id);
"""
_ANY = "(:to IS NULL OR id IN (SELECT message_id FROM recipients WHERE address = :to))"


def open_books(folder: Path) -> Books:
    """Postbox's books in a folder, created when new."""
    return Books(folder / "mail.sqlite3", _SCHEMA)


def keep(books: Books, sender: str, recipients: list[str], raw: bytes) -> None:
    """Write a message down; it is on the disk when this returns."""
    subject = str(parsed(raw).get("Subject", "") or "")[:500]
    with books.transaction():
        books.write(
            "INSERT INTO messages (sender,subject,raw,received_ms) VALUES (?,?,?,?)", (sender, subject, raw, now_ms())
        )
        row = books.row("SELECT last_insert_rowid() AS id")
        assert row is not None
        for address in recipients:
            books.write("INSERT INTO recipients VALUES (?,?)", (row["id"], address.strip().lower()))


def parsed(raw: bytes) -> EmailMessage:
    """The message's parts; a header that cannot be read never stops the rest."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body_of(message: EmailMessage, kind: str) -> str | None:
    """The ``plain`` or ``html`` body as text, or None."""
    try:
        part = message.get_body((kind,))
        content = part.get_content() if part is not None else None
    except (KeyError, LookupError, ValueError, AttributeError):
        return None
    return content if isinstance(content, str) else None


def page_of(books: Books, to: str | None, limit: int, offset: int) -> tuple[list[sqlite3.Row], int]:
    """Messages to an address (or all), newest first, and how many there are."""
    values = {"to": to.strip().lower() if to else None, "n": limit, "o": offset}
    rows = books.rows(f"SELECT * FROM messages WHERE {_ANY} ORDER BY id DESC LIMIT :n OFFSET :o", values)  # noqa: S608
    total = books.row(f"SELECT count(*) AS n FROM messages WHERE {_ANY}", values)  # noqa: S608
    assert total is not None
    return rows, int(total["n"])


def one(books: Books, message_id: int) -> sqlite3.Row | None:
    """A message by its number."""
    return books.row("SELECT * FROM messages WHERE id = ?", (message_id,))


def clear(books: Books, to: str | None) -> int:
    """Forget the messages to an address, or all; how many are gone."""
    with books.transaction():
        gone = books.write(f"DELETE FROM messages WHERE {_ANY}", {"to": to.strip().lower() if to else None})  # noqa: S608
        books.write("DELETE FROM recipients WHERE message_id NOT IN (SELECT id FROM messages)")
    return gone


def told(books: Books, row: sqlite3.Row) -> dict[str, Any]:
    """A message ready for JSON and for the inbox; ``links`` are the addresses in its text."""
    message = parsed(bytes(row["raw"]))
    recipients = books.rows("SELECT address FROM recipients WHERE message_id = ?", (row["id"],))
    plain, html = body_of(message, "plain"), body_of(message, "html")
    links = re.findall(r"https?://[^\s<>\"')]+", plain if plain is not None else (html or ""))
    headers = [(name, str(value)[:2000]) for name, value in message.items()]
    return {
        "id": row["id"],
        "from": row["sender"],
        "to": [recipient["address"] for recipient in recipients],
        "subject": row["subject"],
        "received_at": iso(row["received_ms"]),
        "text": plain,
        "html": html,
        "links": links,
        "headers": headers,
        "attachments": [
            {"name": str(part.get_filename() or ""), "type": part.get_content_type()}
            for part in message.iter_attachments()
        ]
        if message.is_multipart()
        else [],
    }
