"""Compute the system health from heartbeats and the watchdog event."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from backend.auth import queries
from backend.auth.schemas.system_health import (
    HealthRead,
    PartRead,
    PartState,
    WatchdogRead,
    WatchdogState,
)
from backend.shared.infra import clock

COMPONENTS = (
    "auth-service",
    "book-service",
    "delivery-service",
    "robot-service",
    "notification-service",
    "celery-worker",
)
_HEARTBEAT_TIMEOUT = timedelta(seconds=6)  # three heartbeats
_WATCHDOG_TIMEOUT = timedelta(seconds=30)
_WATCHDOG_WINDOW = timedelta(seconds=90)


def read(session: Session) -> tuple[list[PartRead], WatchdogRead]:
    """Return the state of the components with a heartbeat and of the watchdog."""
    now = clock.now()
    rows = session.execute(queries.last_heartbeats(now, _HEARTBEAT_TIMEOUT))
    heartbeats = {name: (at, instances) for name, at, instances in rows}
    components = [_component(name, now, *heartbeats.get(name, (None, 0))) for name in COMPONENTS]
    return components, _watchdog(session, now)


def _component(name: str, now: datetime, at: datetime | None, instances: int) -> PartRead:
    return PartRead(
        name=name,
        state=PartState.UP if instances else PartState.DOWN,
        age_seconds=None if at is None else max(0.0, round((now - at).total_seconds(), 1)),
        instances=instances,
    )


def _watchdog(session: Session, now: datetime) -> WatchdogRead:
    pending: list[datetime] = []
    processed: list[tuple[datetime, datetime]] = []
    for sent_at, processed_at in session.execute(queries.watchdogs(now - _WATCHDOG_WINDOW)):
        if processed_at is None:
            pending.append(sent_at)
        else:
            processed.append((sent_at, processed_at))
    if any(sent_at < now - _WATCHDOG_TIMEOUT for sent_at in pending):
        state = WatchdogState.LATE
    else:
        state = WatchdogState.OK if processed else WatchdogState.NONE
    if not processed:
        return WatchdogRead(state=state)
    sent_at, processed_at = processed[0]
    seconds = round((processed_at - sent_at).total_seconds(), 3)
    return WatchdogRead(state=state, round_trip_seconds=seconds, sent_at=sent_at)


def unknown() -> tuple[list[PartRead], WatchdogRead]:
    """Return the state while the database does not respond."""
    components = [PartRead(name=name, state=PartState.UNKNOWN) for name in COMPONENTS]
    return components, WatchdogRead(state=WatchdogState.NONE)


def summarize(
    components: list[PartRead], watchdog: WatchdogRead, *, database: bool, redis: bool
) -> HealthRead:
    """Add the stores; `whole` when every component is up and no watchdog event is late."""
    stores = [
        PartRead(name=name, state=PartState.UP if up else PartState.DOWN)
        for name, up in (("postgres", database), ("redis", redis))
    ]
    parts = [*stores, *components]
    whole = watchdog.state is not WatchdogState.LATE and all(
        part.state is PartState.UP for part in parts
    )
    return HealthRead(whole=whole, parts=parts, watchdog=watchdog)
