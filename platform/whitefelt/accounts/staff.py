"""Staff of an operator, and of the supplier: who they are and which role they have."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from whitefelt.accounts import passwords, rules
from whitefelt.accounts.errors import STAFF_EXISTS
from whitefelt.accounts.models import StaffCredentialsRow, StaffRow, SupplierStaffRow
from whitefelt.accounts.permissions import ROLES, SUPPLIER_ROLES, permissions_of, supplier_permissions_of
from whitefelt.kernel import ids
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import FIELDS_INVALID, Problem


@dataclass(frozen=True, slots=True)
class Staff:
    """Someone who works here. `public_id` names them outside (for the supplier's staff: `supplier-<id>`)."""

    id: int
    public_id: str
    email: str
    name: str
    role: str
    status: str
    permissions: frozenset[str]


def staff_of(row: StaffRow) -> Staff:
    """The plain value of a row."""
    return Staff(row.id, str(row.public_id), row.email, row.name, row.role, row.status, permissions_of(row.role))


def supplier_staff_of(row: SupplierStaffRow) -> Staff:
    """The plain value of a row of the supplier's staff."""
    granted = supplier_permissions_of(row.role)
    return Staff(row.id, f"supplier-{row.id}", row.email, row.name, row.role, row.status, granted)


def create_staff(work: Work, email: str, name: str, role: str, password: str) -> Staff:
    """Let someone in with one role. Errors: `fields_invalid`, `staff_exists`."""
    name = _checked(email, name, role, password, known_roles=frozenset(ROLES))
    now = work.now()
    row = work.session.scalar(
        insert(StaffRow)
        .values(public_id=ids.uuid7(), email=email, name=name, role=role, created_at=now)
        .on_conflict_do_nothing()
        .returning(StaffRow)
    )
    if row is None:
        raise Problem(STAFF_EXISTS)
    hashed = passwords.hash_password(password)
    work.session.add(StaffCredentialsRow(staff_id=row.id, password_hash=hashed, changed_at=now))
    work.session.flush()
    return staff_of(row)


def create_supplier_staff(work: Work, email: str, name: str, role: str, password: str) -> Staff:
    """As `create_staff` for the supplier's console (roles `administrator`, `viewer`); needs a platform_work."""
    name = _checked(email, name, role, password, known_roles=frozenset(SUPPLIER_ROLES))
    row = work.session.scalar(
        insert(SupplierStaffRow)
        .values(
            email=email.lower(), name=name, role=role, password_hash=passwords.hash_password(password),
            created_at=work.now(),
        )
        .on_conflict_do_nothing()
        .returning(SupplierStaffRow)
    )  # fmt: skip
    if row is None:
        raise Problem(STAFF_EXISTS)
    return supplier_staff_of(row)


def staff_by_email(work: Work, email: str) -> Staff | None:
    """The operator's staff member with that address, None if there is none."""
    row = work.session.scalar(select(StaffRow).where(func.lower(StaffRow.email) == email.lower()))
    return staff_of(row) if row else None


def supplier_staff_by_email(work: Work, email: str) -> Staff | None:
    """The supplier's staff member with that address, None if there is none; needs a platform_work."""
    row = work.session.scalar(select(SupplierStaffRow).where(SupplierStaffRow.email == email.lower()))
    return supplier_staff_of(row) if row else None


def disable_staff(work: Work, staff_id: int) -> None:
    """Shut someone out: no new session, and no living one counts any more."""
    work.session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(status="disabled"))


def _checked(email: str, name: str, role: str, password: str, *, known_roles: frozenset[str]) -> str:
    name = rules.clean_name(name)
    found = {
        "email": rules.email_fault(email),
        "name": rules.name_fault(name),
        "role": None if role in known_roles else "There is no such role.",
        "password": rules.password_fault(password, email),
    }
    faults = {field: [fault] for field, fault in found.items() if fault}
    if faults:
        raise Problem(FIELDS_INVALID, errors=faults)
    return name
