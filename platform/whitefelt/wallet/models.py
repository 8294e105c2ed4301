"""The wallet's tables, for reading only: writing is for the SQL functions, and the database grants nobody else to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Numeric, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from whitefelt.kernel.db import TenantBase

_meta = TenantBase.metadata
_at = TIMESTAMP(timezone=True)

pockets = Table(
    "pockets", _meta,
    Column("id", BigInteger, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("is_house", Boolean, nullable=False),
    Column("balance_units", BigInteger, nullable=False),
    Column("floor_units", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("stakes_allowed", Boolean, nullable=False),
    Column("terms", BigInteger, nullable=False),
    Column("created_at", _at, nullable=False),
)  # fmt: skip

holds = Table(
    "holds", _meta,
    Column("id", BigInteger, primary_key=True),
    Column("source", Integer, nullable=False),
    Column("ref", Text, nullable=False),
    Column("home_pocket", BigInteger, nullable=False),
    Column("escrow_pocket", BigInteger, nullable=False),
    Column("held_units", BigInteger, nullable=False),
    Column("staked_units", BigInteger, nullable=False),
    Column("restored_units", BigInteger, nullable=False),
    Column("won_units", BigInteger, nullable=False),
    Column("label", JSONB, nullable=False),
    Column("opened_at", _at, nullable=False),
    Column("closed_at", _at),
)  # fmt: skip

journal = Table(
    "journal", _meta,
    Column("id", BigInteger, primary_key=True),
    Column("source", Integer, nullable=False),
    Column("ref", Text, nullable=False),
    Column("leg", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("body_hash", LargeBinary),
    Column("home_pocket", BigInteger),
    Column("debit_pocket", BigInteger),
    Column("credit_pocket", BigInteger),
    Column("amount_units", BigInteger, nullable=False),
    Column("debit_after_units", BigInteger),
    Column("credit_after_units", BigInteger),
    Column("debit_seq", BigInteger),
    Column("credit_seq", BigInteger),
    Column("hold_id", BigInteger),
    Column("closes", BigInteger),
    Column("outcome", JSONB),
    Column("created_at", _at, nullable=False),
)  # fmt: skip

counters = Table(
    "counters", _meta,
    Column("pocket_id", BigInteger, primary_key=True),
    Column("counter", Text, primary_key=True),
    Column("time_window", Text, primary_key=True),
    Column("used_units", BigInteger, nullable=False),
    Column("advanced_at", _at, nullable=False),
)  # fmt: skip

house_folds = Table(
    "house_folds", _meta,
    Column("pocket_id", BigInteger, primary_key=True),
    Column("through_id", BigInteger, nullable=False),
    Column("balance_units", Numeric(38, 0), nullable=False),
)  # fmt: skip
