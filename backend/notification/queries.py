"""Selects of the notification service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, bindparam, func, select

from backend.shared.domain.actor import STAFF
from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import (
    ImportJob,
    Notification,
    NotificationPreferences,
    PushSubscription,
    User,
)
from backend.shared.web.pagination import AnySelect

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


def _recipients() -> AnySelect:
    """Select users with what they chose for notifications, and whether a browser receives push.

    The language is the one for notifications, or else for all.
    """
    chosen = NotificationPreferences
    subscribed = select(PushSubscription.id).where(PushSubscription.user_id == User.id)
    return select(
        User.id,
        func.coalesce(chosen.language, User.preferred_language).label("language"),
        chosen.channels,
        chosen.quiet_from,
        chosen.quiet_until,
        subscribed.exists().label("has_browser"),
    ).outerjoin(chosen, chosen.user_id == User.id)


# The active users of these; no row for an inactive account.
STUDENTS = _recipients().where(
    User.id == any_(bindparam("user_ids", type_=ARRAY(Uuid))), User.is_active
)
# The active librarians and admins.
ALL_STAFF = _recipients().where(User.role.in_(STAFF), User.is_active)
# The active user who started an import.
IMPORT_OWNER = (
    _recipients()
    .join(ImportJob, ImportJob.created_by == User.id)
    .where(ImportJob.id == bindparam("job_id"), User.is_active)
)
