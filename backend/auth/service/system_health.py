"""Whether LUNA is whole: the signs of life that its parts leave, judged."""

from datetime import timedelta

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

POSTGRES, REDIS = "postgres", "redis"
BEATING = (
    "auth-service",
    "book-service",
    "delivery-service",
    "robot-service",
    "notification-service",
    "celery-worker",
)
_SILENCE = timedelta(seconds=6)  # three heartbeats
_WATCHDOG_LATE = timedelta(seconds=30)
_WATCHDOG_MEMORY = timedelta(seconds=90)


def judge(session: Session) -> tuple[list[PartRead], WatchdogRead]:
    """The parts that leave a heartbeat in the database, and the watchdog's last round."""
    return _parts(session), _watchdog(session)


def _parts(session: Session) -> list[PartRead]:
    now = clock.now()
    heard = {row.part: row for row in session.execute(queries.signs_of_life(now, _SILENCE))}
    return [
        PartRead(
            name=name,
            state=PartState.UP if name in heard and heard[name].instances else PartState.DOWN,
            age_seconds=(
                max(0.0, round((now - heard[name].at).total_seconds(), 1))
                if name in heard
                else None
            ),
            instances=heard[name].instances if name in heard else 0,
        )
        for name in BEATING
    ]


def _watchdog(session: Session) -> WatchdogRead:
    now = clock.now()
    rounds = session.execute(queries.watchdogs(now - _WATCHDOG_MEMORY)).all()
    came = next((one for one in rounds if one.processed_at is not None), None)
    waiting = [one for one in rounds if one.processed_at is None]
    if any(one.created_at < now - _WATCHDOG_LATE for one in waiting):
        state = WatchdogState.LATE
    else:
        state = WatchdogState.OK if came is not None else WatchdogState.NONE
    if came is None:
        return WatchdogRead(state=state)
    took = (came.processed_at - came.created_at).total_seconds()
    return WatchdogRead(state=state, round_trip_seconds=round(took, 3), sent_at=came.created_at)


def unknown() -> tuple[list[PartRead], WatchdogRead]:
    """What can be said while the database does not answer."""
    silent = [PartRead(name=name, state=PartState.UNKNOWN) for name in BEATING]
    return silent, WatchdogRead(state=WatchdogState.NONE)


def summed_up(
    parts: list[PartRead], watchdog: WatchdogRead, *, database: bool, redis: bool
) -> HealthRead:
    """The whole judgement: whole when every part is up and no watchdog is late."""
    infrastructure = [
        PartRead(name=name, state=PartState.UP if up else PartState.DOWN)
        for name, up in ((POSTGRES, database), (REDIS, redis))
    ]
    everything = [*infrastructure, *parts]
    whole = watchdog.state is not WatchdogState.LATE and all(
        part.state is PartState.UP for part in everything
    )
    return HealthRead(whole=whole, parts=everything, watchdog=watchdog)
