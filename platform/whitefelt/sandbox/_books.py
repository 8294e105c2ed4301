"""SQLite books that survive ``kill -9``: one file, full synchronisation, one writer at a time."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Books:
    """One SQLite file shared by all threads of a vendor.

    Reads and writes take the same lock; what ``transaction`` has left without an error is on the disk.
    """

    def __init__(self, path: Path, schema: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens or nothing does; nested blocks join the outer one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def write(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Run one changing statement (its own transaction unless inside one); rows changed."""
        with self.transaction():
            return self._connection.execute(statement, values).rowcount

    def rows(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
            return found

    def close(self) -> None:
        """Close the file; later use is an error."""
        with self._lock:
            self._connection.close()
