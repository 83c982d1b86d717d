"""Selects of the authentication service."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Nullable, Select, and_, bindparam, func, select

from backend.auth.schemas.accounts import UserRead
from backend.shared.events import WatchdogSent
from backend.shared.infra.hot_reads import HotRead
from backend.shared.messaging.subscriptions import WATCHDOG
from backend.shared.models import (
    KnownDevice,
    OutboxEvent,
    ProcessedEvent,
    ProcessHeartbeat,
    User,
    UserSession,
)
from backend.shared.web.pagination import AnySelect

_PROFILE_COLUMNS = [User.__table__.c[name] for name in UserRead.model_fields]


def credentials(email: str, device_hash: str, now: datetime) -> Select[UUID, str, UUID | None]:
    """Select id and password hash of an account, and the known device with this token's hash."""
    known = and_(
        KnownDevice.user_id == User.id,
        KnownDevice.token_hash == device_hash,
        KnownDevice.expires_at > now,
    )
    return (
        select(User.id, User.password_hash, Nullable(KnownDevice.id))
        .outerjoin(KnownDevice, known)
        .where(func.lower(User.email) == func.lower(email))
    )


PROFILE = HotRead(select(*_PROFILE_COLUMNS).where(User.id == bindparam("user_id")))


def holder(refresh_hash: str, now: datetime) -> AnySelect:
    """Select the person and the session of a valid refresh token."""
    return (
        select(User.id, User.role, User.email, UserSession.id.label("session_id"))
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.refresh_hash == refresh_hash,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > now,
        )
    )


def last_heartbeats(now: datetime, timeout: timedelta) -> Select[str, datetime, int]:
    """Select each component's last heartbeat and its instances with one within `timeout`."""
    return select(
        ProcessHeartbeat.part,
        func.max(ProcessHeartbeat.at),
        func.count().filter(ProcessHeartbeat.at >= now - timeout),
    ).group_by(ProcessHeartbeat.part)


def watchdogs(since: datetime) -> Select[datetime, datetime | None]:
    """Select when each watchdog event was sent and processed (null: not yet), newest first."""
    processed = and_(ProcessedEvent.event_id == OutboxEvent.id, ProcessedEvent.consumer == WATCHDOG)
    return (
        select(OutboxEvent.created_at, Nullable(ProcessedEvent.processed_at))
        .outerjoin(ProcessedEvent, processed)
        .where(OutboxEvent.created_at >= since, OutboxEvent.event_type == WatchdogSent.TYPE)
        .order_by(OutboxEvent.created_at.desc())
    )
