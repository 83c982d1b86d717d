"""Export of all that is held about a person, and erasure (anonymization) of an account."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Uuid, and_, func, or_, select, text
from sqlalchemy.orm import Session

from backend.auth.service import users
from backend.shared.domain import audit
from backend.shared.domain.actor import Actor
from backend.shared.domain.audit import personal_data
from backend.shared.errors import Conflict, NotFound
from backend.shared.infra import clock, database
from backend.shared.models import (
    CLOSED_STATUSES,
    OPEN_HOLD_STATUSES,
    AuditLog,
    Base,
    BookRequest,
    BookReturn,
    Hold,
    Loan,
    User,
)

_USER_ID = User.__table__.c.id
_BY_VALUE = frozenset({"changed_by", "stopped_by", "paused_by", "actor"})  # without a foreign key
_SECRET = ("hash", "secret", "code", "prefix", "answer")
_OPEN: dict[str, tuple[Any, Any, str]] = {
    "OPEN_LOANS": (Loan, Loan.returned_at.is_(None), "{n} loans are open."),
    "OPEN_HOLDS": (Hold, Hold.status.in_(OPEN_HOLD_STATUSES), "{n} holds are open."),
    "OPEN_REQUESTS": (
        BookRequest,
        BookRequest.status.not_in(CLOSED_STATUSES),
        "{n} requests are open.",
    ),
    "OPEN_RETURNS": (
        BookReturn,
        BookReturn.status.not_in(CLOSED_STATUSES),
        "{n} returns are open.",
    ),
}


def _refers_to(table: Table, user_id: UUID) -> list[ColumnElement[bool]]:
    """Return the conditions under which a row refers to a person; none for most tables."""
    conditions = [
        column == (user_id if isinstance(column.type, Uuid) else str(user_id))
        for column in table.columns
        if column.name in _BY_VALUE or any(key.column is _USER_ID for key in column.foreign_keys)
    ]
    if table is AuditLog.__table__:
        about = and_(AuditLog.resource_type == "user", AuditLog.resource_id == str(user_id))
        conditions.append(about)
    return conditions


def export(session: Session, user_id: UUID) -> dict[str, Any]:
    """Return every row that refers to a person, by table, without secrets.

    The tables are found by their foreign keys, so that a new one is included by itself.
    """
    person = users.get(session, user_id)
    found: dict[str, Any] = {"users": [_readable(User.__table__, person.__dict__)]}
    for table in Base.metadata.sorted_tables:
        if conditions := _refers_to(table, user_id):
            rows = session.execute(select(table).where(or_(*conditions))).mappings().all()
            shown = [_without_others(table, _readable(table, row), user_id) for row in rows]
            if shown:
                found[table.name] = personal_data.readable(session, shown)
    return {"exported_at": clock.iso(clock.now()), "data": found}


def _without_others(table: Table, row: dict[str, Any], user_id: UUID) -> dict[str, Any]:
    """Leave out the network address of others who did something to this person."""
    is_own = table is not AuditLog.__table__ or row["user_id"] == user_id
    return row if is_own else {**row, "ip_address": None}


def _readable(table: Any, row: Any) -> dict[str, Any]:
    return {
        column.name: row[column.name]
        for column in table.columns
        if not any(word in column.name for word in _SECRET)
    }


def erase(session: Session, user_id: UUID, actor: Actor) -> None:
    """Anonymize an account; Conflict with `reasons` while something of it is open.

    What the library must keep (loans, requests, tasks) stays and refers to nobody's name. The
    database's function `erase_person` reaches the tables of all services.
    """
    users.check_not_last_admin(user_id, users.lock_admins(session))
    user = database.row_lock_or_none(session, User, user_id)
    if user is None or user.erased_at is not None:
        raise NotFound("User not found.")
    if reasons := _reasons(session, user_id):
        raise Conflict("This account cannot be erased yet. See details.reasons.", reasons=reasons)
    users.deactivated(session, user, actor)
    audit.record(session, actor_id=actor.id, action="user.erased", resource=("user", user_id))
    session.flush()
    session.execute(text("SELECT erase_person(:id, :now)"), {"id": user_id, "now": clock.now()})


def _reasons(session: Session, user_id: UUID) -> list[dict[str, str]]:
    reasons = []
    for code, (model, is_open, message) in _OPEN.items():
        number = session.execute(
            select(func.count()).select_from(model).where(model.user_id == user_id, is_open)
        ).scalar_one()
        if number:
            reasons.append({"code": code, "message": message.format(n=number)})
    return reasons
