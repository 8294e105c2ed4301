"""Accounts: who is this person, and may they enter? Players, staff, credentials, sessions, consents, permissions.

Owns (tenant): players, player_credentials, player_sessions, consents, staff, staff_credentials, staff_sessions,
sign_in_attempts; (platform): supplier_staff, supplier_sessions. Imports: kernel, facts, tenancy, audit.
"""

from whitefelt.accounts.authentication import (
    SESSION_COOKIE,
    authenticate_player,
    authenticate_staff,
    authenticate_supplier,
    caller_ip,
    clear_session_cookie,
    current_player,
    current_staff,
    set_session_cookie,
)
from whitefelt.accounts.errors import ACCOUNT_BLOCKED, IDENTITY_TAKEN
from whitefelt.accounts.permissions import PERMISSIONS, ROLES, SUPPLIER_PERMISSIONS, SUPPLIER_ROLES
from whitefelt.accounts.players import (
    Person,
    Player,
    consents_of,
    create_player,
    field_faults,
    find_players,
    lock_player,
    player,
    player_by_public_id,
    set_player_status,
    set_verified,
)
from whitefelt.accounts.rules import clean_name
from whitefelt.accounts.schemas import SignedInSchema, player_document, signed_in_document
from whitefelt.accounts.sessions import (
    SignedIn,
    StaffSignedIn,
    end_player_sessions,
    end_staff_sessions,
    open_player_session,
    open_staff_session,
    open_supplier_session,
    session_started_at,
    sign_out,
    sign_out_staff,
    sign_out_supplier,
)
from whitefelt.accounts.sign_in import sign_in, sign_in_staff, sign_in_supplier
from whitefelt.accounts.staff import (
    Staff,
    create_staff,
    create_supplier_staff,
    disable_staff,
    staff_by_email,
    supplier_staff_by_email,
)

__all__ = [
    "ACCOUNT_BLOCKED", "IDENTITY_TAKEN", "PERMISSIONS", "ROLES", "SESSION_COOKIE", "SUPPLIER_PERMISSIONS",
    "SUPPLIER_ROLES", "Person", "Player", "SignedIn", "SignedInSchema", "Staff", "StaffSignedIn",
    "authenticate_player", "authenticate_staff", "authenticate_supplier", "caller_ip", "clean_name",
    "clear_session_cookie", "consents_of", "create_player", "create_staff", "create_supplier_staff",
    "current_player", "current_staff", "disable_staff", "end_player_sessions", "end_staff_sessions", "field_faults",
    "find_players", "lock_player", "open_player_session", "open_staff_session", "open_supplier_session", "player",
    "player_by_public_id", "player_document", "session_started_at", "set_player_status", "set_session_cookie",
    "set_verified", "sign_in", "sign_in_staff", "sign_in_supplier", "sign_out", "sign_out_staff", "sign_out_supplier",
    "signed_in_document", "staff_by_email", "supplier_staff_by_email",
]  # fmt: skip
