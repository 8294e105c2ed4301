"""${message}"""

from whitefelt.kernel.migration import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    run_sql(__file__)
