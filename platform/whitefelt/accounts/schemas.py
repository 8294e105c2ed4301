"""JSON of accounts: what comes in, what goes out."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from whitefelt.accounts.players import Player
from whitefelt.accounts.sessions import SignedIn, StaffSignedIn
from whitefelt.accounts.staff import Staff
from whitefelt.kernel.web import PageArgs


class CredentialsArgs(ma.Schema):
    """An e-mail address and a password."""

    email = ma.fields.String(required=True, validate=ma.validate.Length(1, 400))
    password = ma.fields.String(required=True, validate=ma.validate.Length(1, 400))


class PlayerSchema(ma.Schema):
    """A player, as the player sees it."""

    id = ma.fields.String(required=True)
    email = ma.fields.String(required=True)
    first_name = ma.fields.String(required=True)
    last_name = ma.fields.String(required=True)
    birth_date = ma.fields.Date(required=True)
    country = ma.fields.String(required=True)
    language = ma.fields.String(required=True)
    jurisdiction = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    verified_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    created_at = ma.fields.AwareDateTime(required=True)


class SignedInSchema(ma.Schema):
    """A new session: send the token as `Authorization: Bearer`. It is shown this once."""

    token = ma.fields.String(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)
    player = ma.fields.Nested(PlayerSchema, required=True)


class StaffSchema(ma.Schema):
    """A staff member and what the role allows."""

    id = ma.fields.String(required=True)
    email = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    role = ma.fields.String(required=True)
    permissions = ma.fields.List(ma.fields.String(), required=True)


class StaffSignedInSchema(ma.Schema):
    """A new back-office session."""

    token = ma.fields.String(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)
    staff = ma.fields.Nested(StaffSchema, required=True)


class PlayerQuery(PageArgs):
    """Find players by the beginning of an address or last name, or by id."""

    query = ma.fields.String(load_default="", validate=ma.validate.Length(max=254))


class PlayerLineSchema(ma.Schema):
    """A player in a list: personal data masked."""

    id = ma.fields.String(required=True)
    email = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    country = ma.fields.String(required=True)
    jurisdiction = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    verified = ma.fields.Boolean(required=True)
    created_at = ma.fields.AwareDateTime(required=True)


class PlayerPageSchema(ma.Schema):
    """A page of players; `next` is the `before` of the next page."""

    items = ma.fields.List(ma.fields.Nested(PlayerLineSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True)


class PlayerDetailSchema(PlayerSchema):
    """A player for staff. `masked`: personal data is hidden from this role."""

    masked = ma.fields.Boolean(required=True)
    consents = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)


def player_document(player: Player) -> dict[str, Any]:
    """All of a player's own data."""
    return {
        "id": player.public_id, "email": player.email, "first_name": player.first_name,
        "last_name": player.last_name, "birth_date": player.birth_date, "country": player.country,
        "language": player.language, "jurisdiction": player.jurisdiction, "currency": player.currency,
        "status": player.status, "verified_at": player.verified_at, "created_at": player.created_at,
    }  # fmt: skip


def signed_in_document(signed_in: SignedIn) -> dict[str, Any]:
    """A new session of a player."""
    return {
        "token": signed_in.token, "expires_at": signed_in.expires_at, "player": player_document(signed_in.player)
    }  # fmt: skip


def staff_document(staff: Staff) -> dict[str, Any]:
    """A staff member."""
    return {
        "id": staff.public_id, "email": staff.email, "name": staff.name, "role": staff.role,
        "permissions": sorted(staff.permissions),
    }  # fmt: skip


def staff_signed_in_document(signed_in: StaffSignedIn) -> dict[str, Any]:
    """A new session of a staff member."""
    return {"token": signed_in.token, "expires_at": signed_in.expires_at, "staff": staff_document(signed_in.staff)}


def masked_email(email: str) -> str:
    """`a***@example.com`: enough to recognise someone on the phone, not to write to them."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}***@{domain}"


def masked_name(player: Player) -> str:
    """`Ada L.`"""
    return f"{player.first_name} {player.last_name[:1]}."


def player_line(player: Player) -> dict[str, Any]:
    """A player in a list."""
    return {
        "id": player.public_id, "email": masked_email(player.email), "name": masked_name(player),
        "country": player.country, "jurisdiction": player.jurisdiction, "currency": player.currency,
        "status": player.status, "verified": player.verified_at is not None, "created_at": player.created_at,
        "_key": player.id,
    }  # fmt: skip


def player_detail(player: Player, consents: dict[str, str], *, masked: bool) -> dict[str, Any]:
    """A player for staff: in full only where the caller has decided so and written it down."""
    told = {**player_document(player), "masked": masked, "consents": consents}
    if masked:
        told.update(
            email=masked_email(player.email), last_name=f"{player.last_name[:1]}.",
            birth_date=player.birth_date.replace(month=1, day=1),
        )  # fmt: skip
    return told
