"""Selects of the authentication service."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Nullable, Select, and_, bindparam, func, select

from backend.auth.schemas.accounts import UserRead
from backend.shared.events import WatchdogSent
from backend.shared.infra.hot_reads import HotRead
from backend.shared.messaging.subscriptions import WATCHDOG
from backend.shared.models import OutboxEvent, ProcessedEvent, ProcessHeartbeat, User

_PROFILE_COLUMNS = [User.__table__.c[name] for name in UserRead.model_fields]


def credentials(email: str) -> Select[UUID, str]:
    """Select id and password hash of an account, through the unique index."""
    return select(User.id, User.password_hash).where(func.lower(User.email) == func.lower(email))


PROFILE = HotRead(select(*_PROFILE_COLUMNS).where(User.id == bindparam("user_id")))


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
