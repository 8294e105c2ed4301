"""PostgreSQL and Valkey of our own, for when no server is named: both from wheels, in a data folder, on 127.0.0.1.

Owns no tables. Imports nothing of whitefelt. Everything that they keep is under `data`/postgres and `data`/valkey,
except, as root with a data folder that is closed to others, the cluster itself (see `location`).
"""

from .errors import ServerFailed
from .postgres import Postgres, start_postgres
from .valkey import Valkey, start_valkey

__all__ = ["Postgres", "ServerFailed", "Valkey", "start_postgres", "start_valkey"]
