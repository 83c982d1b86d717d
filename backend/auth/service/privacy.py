"""Export of all that is held about a person, and erasure (anonymization) of an account."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, delete, func, select, text, update
from sqlalchemy.orm import Session

from backend.auth.service import users
from backend.shared.domain import audit
from backend.shared.domain.actor import Actor
from backend.shared.domain.audit import personal_data
from backend.shared.errors import Conflict, NotFound
from backend.shared.infra import clock, database
from backend.shared.models import (
    OPEN_HOLD_STATUSES,
    AccountToken,
    Alert,
    AlertKind,
    Base,
    BookRequest,
    BookReturn,
    DeliveryTask,
    Hold,
    IdempotencyKey,
    KnownDevice,
    Loan,
    LoginChallenge,
    Notification,
    NotificationDelivery,
    NotificationPreferences,
    PushSubscription,
    RecoveryCode,
    RequestStatus,
    ReturnStatus,
    TotpFactor,
    User,
    UserSession,
)
from backend.shared.web.security.passwords import NO_PASSWORD

_SECRET = ("hash", "secret", "code", "prefix", "answer")
_ERASED_TABLES: tuple[Any, ...] = (
    AccountToken,
    LoginChallenge,
    RecoveryCode,
    TotpFactor,
    Notification,
    NotificationDelivery,
    NotificationPreferences,
    PushSubscription,
    KnownDevice,
)
_OPEN: dict[str, tuple[Any, Any, str]] = {
    "OPEN_LOANS": (Loan, Loan.returned_at.is_(None), "{n} loans are open."),
    "OPEN_HOLDS": (Hold, Hold.status.in_(OPEN_HOLD_STATUSES), "{n} holds are open."),
    "OPEN_REQUESTS": (
        BookRequest,
        BookRequest.status.not_in([RequestStatus.COMPLETED, RequestStatus.CANCELLED]),
        "{n} requests are open.",
    ),
    "OPEN_RETURNS": (
        BookReturn,
        BookReturn.status.not_in([ReturnStatus.COMPLETED, ReturnStatus.CANCELLED]),
        "{n} returns are open.",
    ),
}


def _references(table: Table) -> list[Column[Any]]:
    """Return the columns of a table that refer to a person."""
    return [
        column
        for column in table.columns
        if any(key.column is User.__table__.c.id for key in column.foreign_keys)
    ]


def export(session: Session, user_id: UUID) -> dict[str, Any]:
    """Return every row that refers to a person, by table, without secrets.

    The tables are found by their foreign keys, so that a new one is included by itself.
    """
    person = users.get(session, user_id)
    found: dict[str, Any] = {"users": [_readable(User.__table__, person.__dict__)]}
    for table in Base.metadata.sorted_tables:
        for column in _references(table):
            rows = session.execute(select(table).where(column == user_id)).mappings()
            for row in rows:
                (shown,) = personal_data.readable(session, [_readable(table, row)])
                found.setdefault(table.name, []).append(shown)
    return {"exported_at": clock.iso(clock.now()), "data": found}


def _readable(table: Any, row: Any) -> dict[str, Any]:
    return {
        column.name: row[column.name]
        for column in table.columns
        if not any(word in column.name for word in _SECRET)
    }


def erase(session: Session, user_id: UUID, actor: Actor) -> None:
    """Anonymize an account; Conflict with `reasons` while something of it is open.

    What the library must keep (loans, requests, tasks) stays and refers to nobody's name.
    """
    users.check_not_last_admin(user_id, users.lock_admins(session))
    user = database.row_lock_or_none(session, User, user_id)
    if user is None or user.erased_at is not None:
        raise NotFound("User not found.")
    if reasons := _reasons(session, user_id):
        raise Conflict("This account cannot be erased yet. See details.reasons.", reasons=reasons)
    users.deactivated(session, user, actor)
    session.flush()
    for model in _ERASED_TABLES:
        session.execute(delete(model).where(model.user_id == user_id))
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.actor == str(user_id)))
    session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id)
        .values(user_agent=None, ip_address=None)
    )
    session.execute(update(BookRequest).where(BookRequest.user_id == user_id).values(notes=None))
    _erase_reported_problems(session, user_id)
    _anonymize(session, user)
    audit.record(session, actor_id=actor.id, action="user.erased", resource=("user", user_id))
    session.execute(text("SELECT destroy_person_key(:id)"), {"id": user_id})


def _erase_reported_problems(session: Session, user_id: UUID) -> None:
    """Erase what the member wrote about problems with deliveries."""
    own = (
        select(DeliveryTask.id)
        .join(BookRequest, BookRequest.id == DeliveryTask.request_id)
        .where(BookRequest.user_id == user_id)
    )
    session.execute(
        update(Alert)
        .where(Alert.kind == AlertKind.REQUEST_PROBLEM, Alert.task_id.in_(own))
        .values(reason=None)
    )


def _anonymize(session: Session, user: User) -> None:
    user.email = f"{user.id}@erased.invalid"
    user.first_name = user.last_name = "Erased"
    user.phone_number = None
    user.password_hash = NO_PASSWORD
    user.is_active = False
    user.email_verified_at = user.last_login_at = None
    user.erased_at = clock.now()
    session.flush()


def _reasons(session: Session, user_id: UUID) -> list[dict[str, str]]:
    reasons = []
    for code, (model, is_open, message) in _OPEN.items():
        number = session.execute(
            select(func.count()).select_from(model).where(model.user_id == user_id, is_open)
        ).scalar_one()
        if number:
            reasons.append({"code": code, "message": message.format(n=number)})
    return reasons
