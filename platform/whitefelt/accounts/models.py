"""Tables of accounts: players and staff in the tenant's schema, the supplier's staff in the platform's."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Identity, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import PlatformBase, TenantBase

_Instant = TIMESTAMP(timezone=True)


class PlayerRow(TenantBase):
    """A player's account with one brand. `person_key` and `national_id_key` let one person have one account."""

    __tablename__ = "players"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    brand_id: Mapped[int] = mapped_column(BigInteger)
    jurisdiction: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    first_name: Mapped[str] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text)
    birth_date: Mapped[date] = mapped_column(Date)
    country: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    person_key: Mapped[bytes] = mapped_column(LargeBinary)
    national_id_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_national_id: Mapped[str | None] = mapped_column(Text)
    verified_at: Mapped[datetime | None] = mapped_column(_Instant)
    created_at: Mapped[datetime] = mapped_column(_Instant)


class PlayerCredentialsRow(TenantBase):
    """A player's password, hashed; apart, because auditors read players."""

    __tablename__ = "player_credentials"
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(_Instant)


class PlayerSessionRow(TenantBase):
    """A player's session with one brand; the token itself is known to its bearer only."""

    __tablename__ = "player_sessions"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    brand_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(_Instant)
    last_seen_at: Mapped[datetime] = mapped_column(_Instant)
    expires_at: Mapped[datetime] = mapped_column(_Instant)
    ended_at: Mapped[datetime | None] = mapped_column(_Instant)
    end_reason: Mapped[str | None] = mapped_column(Text)


class ConsentRow(TenantBase):
    """A version of a document that a player accepted, and when; never changed."""

    __tablename__ = "consents"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    document: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    accepted_at: Mapped[datetime] = mapped_column(_Instant)


class StaffRow(TenantBase):
    """Someone who works for the operator, with one role."""

    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(_Instant)


class StaffCredentialsRow(TenantBase):
    """A staff member's password, hashed."""

    __tablename__ = "staff_credentials"
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(_Instant)


class StaffSessionRow(TenantBase):
    """A staff member's session in the back office."""

    __tablename__ = "staff_sessions"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(_Instant)
    last_seen_at: Mapped[datetime] = mapped_column(_Instant)
    expires_at: Mapped[datetime] = mapped_column(_Instant)
    ended_at: Mapped[datetime | None] = mapped_column(_Instant)
    end_reason: Mapped[str | None] = mapped_column(Text)


class SignInAttemptRow(TenantBase):
    """One try to sign in, counted as failed until it has succeeded."""

    __tablename__ = "sign_in_attempts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account_key: Mapped[bytes] = mapped_column(LargeBinary)
    ip: Mapped[str] = mapped_column(Text)
    attempted_at: Mapped[datetime] = mapped_column(_Instant)
    succeeded: Mapped[bool] = mapped_column(Boolean, server_default="false")


class SupplierStaffRow(PlatformBase):
    """Someone who works for the supplier."""

    __tablename__ = "supplier_staff"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(_Instant, server_default="now()")


class SupplierSessionRow(PlatformBase):
    """A session on the supplier's console."""

    __tablename__ = "supplier_sessions"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("platform.supplier_staff.id"))
    created_at: Mapped[datetime] = mapped_column(_Instant)
    last_seen_at: Mapped[datetime] = mapped_column(_Instant)
    expires_at: Mapped[datetime] = mapped_column(_Instant)
    ended_at: Mapped[datetime | None] = mapped_column(_Instant)
