"""Reads of the authentication service."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select

from backend.shared.events import WatchdogSent
from backend.shared.messaging.subscriptions import WATCHDOG
from backend.shared.models import OutboxEvent, PartHeartbeat, ProcessedEvent, User

Rows = Select[*tuple[Any, ...]]


def credentials(address: str) -> Rows:
    """What a sign-in is checked against; through the unique index."""
    return select(User.id, User.password_hash).where(func.lower(User.email) == func.lower(address))


def profile(user_id: UUID) -> Rows:
    return select(
        User.id,
        User.email,
        User.first_name,
        User.last_name,
        User.role,
        User.phone_number,
        User.is_active,
        User.preferred_language,
        User.created_at,
        User.updated_at,
    ).where(User.id == user_id)


def signs_of_life(now: datetime, silence: timedelta) -> Rows:
    """Each part's last sign of life, and how many instances were not silent."""
    return select(
        PartHeartbeat.part,
        func.max(PartHeartbeat.at).label("at"),
        func.count().filter(PartHeartbeat.at >= now - silence).label("instances"),
    ).group_by(PartHeartbeat.part)


def watchdogs(since: datetime) -> Rows:
    """The watchdog's events since then, latest first, with when each came round (null: not yet)."""
    came_round = and_(
        ProcessedEvent.event_id == OutboxEvent.id, ProcessedEvent.consumer == WATCHDOG
    )
    return (
        select(OutboxEvent.created_at, ProcessedEvent.processed_at)
        .outerjoin(ProcessedEvent, came_round)
        .where(OutboxEvent.created_at >= since, OutboxEvent.event_type == WatchdogSent.TYPE)
        .order_by(OutboxEvent.created_at.desc())
    )
