"""Migrations: two small Alembic trees (platform, tenant) whose revisions are SQL files, run in process.

A revision's Python file only calls `run_sql(__file__)`; its SQL lies beside it. Names that differ per tenant are tokens:
`__SCHEMA__` the schema and the role that owns its functions, `__APP__` the role a unit of work is pinned to,
`__MONEY__` `__AUDIT__` `__PLATFORM__` the logins and the platform role.
"""

from __future__ import annotations

import re
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from whitefelt.kernel import settings
from whitefelt.kernel.paths import MIGRATIONS

TREES = ("platform", "tenant")
_TOKEN = re.compile(r"__(SCHEMA|APP|MONEY|AUDIT|PLATFORM|LOGIN_APP)__")


def upgrade(connection: Connection, tree: str, schema: str, revision: str = "head") -> str:
    """Bring `schema` to `revision` of the tree, in the connection's transaction; returns the revision reached."""
    config = _config(tree)
    config.attributes.update(connection=connection, schema=schema, tokens=_tokens(schema))
    command.upgrade(config, revision)
    return head(tree) if revision == "head" else revision


def head(tree: str) -> str:
    """The newest revision of that tree."""
    found = ScriptDirectory.from_config(_config(tree)).get_current_head()
    assert found is not None, f"no revisions in migrations/{tree}"
    return found


def run_sql(revision_file: str) -> None:
    """Run the SQL file beside a revision's Python file, with the tokens of the schema being migrated."""
    tokens: dict[str, str] = context.config.attributes["tokens"]
    sql = Path(revision_file).with_suffix(".sql").read_text()
    filled = _TOKEN.sub(lambda match: tokens[match.group(1)], sql)
    connection: Connection = context.config.attributes["connection"]
    # Straight to the driver: the files hold many statements and no parameters.
    cursor = connection.connection.cursor()
    cursor.execute(filled.encode())
    cursor.close()


def _config(tree: str) -> Config:
    assert tree in TREES, tree
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / tree))
    config.set_main_option("path_separator", "os")
    return config


def _tokens(schema: str) -> dict[str, str]:
    told = settings.current()
    return {
        "SCHEMA": schema, "APP": f"{schema}_app", "MONEY": told.login("money"), "AUDIT": told.login("audit"),
        "PLATFORM": told.login("platform"), "LOGIN_APP": told.login("app"),
    }  # fmt: skip
