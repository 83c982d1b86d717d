"""Selects of the notification service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from backend.shared.domain.actor import STAFF
from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import ImportJob, Notification, NotificationPreferences, User

SORTS: dict[str, ColumnElement[Any]] = {"created_at": Notification.created_at.expression}
TIEBREAK = Notification.id.expression
_Columns = Select[UUID, str, str, str, dict[str, Any], bool, datetime, datetime | None]


def own(
    user_id: UUID, *, is_read: bool | None = None, notification_type: str | None = None
) -> _Columns:
    """Select a user's notifications."""
    statement = select(
        Notification.id,
        Notification.notification_type,
        Notification.title,
        Notification.message,
        Notification.payload,
        Notification.is_read,
        Notification.created_at,
        Notification.read_at,
    ).where(Notification.user_id == user_id)
    if is_read is not None:
        statement = statement.where(Notification.is_read.is_(is_read))
    if notification_type is not None:
        statement = statement.where(Notification.notification_type == notification_type)
    return statement


def one(user_id: UUID, notification_id: UUID) -> _Columns:
    return own(user_id).where(Notification.id == notification_id)


UNREAD = HotRead(
    select(func.count())
    .select_from(Notification)
    .where(Notification.user_id == bindparam("user_id"), Notification.is_read.is_(False))
)


def _with_language() -> Select[UUID, str]:
    """Select users with the language that they chose for notifications, or for all."""
    chosen = NotificationPreferences
    language = func.coalesce(chosen.language, User.preferred_language)
    return select(User.id, language).outerjoin(chosen, chosen.user_id == User.id)


def active_user(user_id: UUID) -> Select[UUID, str]:
    """Select an active user with their language; no row for an inactive account."""
    return _with_language().where(User.id == user_id, User.is_active)


def staff() -> Select[UUID, str]:
    """Select the active librarians and admins with their language."""
    return _with_language().where(User.role.in_(STAFF), User.is_active)


def import_owner(job_id: UUID) -> Select[UUID, str]:
    """Select the active user who started an import, with their language."""
    return (
        _with_language()
        .join(ImportJob, ImportJob.created_by == User.id)
        .where(ImportJob.id == job_id, User.is_active)
    )
