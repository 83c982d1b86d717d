"""The copy of each robot's last heartbeat in Redis, and its message for the live view."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from backend.robot.bridge_protocol.heartbeats import HeartbeatResult
from backend.shared.infra import cache, clock, redis
from backend.shared.messaging import realtime

_RETAINED_SINCE_KEY = "fleet:remembered_since"
_STATUS_TTL = timedelta(seconds=5)
_LAST_HEARTBEAT_TTL = timedelta(minutes=2)


def _last_heartbeat_key(robot_id: UUID) -> str:
    return f"robot:{robot_id}:heard"


async def publish(robot_id: UUID, result: HeartbeatResult) -> None:
    """Store the robot's status and the time of its heartbeat; publish both to the live view."""
    if not redis.is_up():
        return
    topics = ["robots", f"robot:{robot_id}"]
    if result.request_id is not None:
        topics.append(f"request:{result.request_id}")
    if result.return_id is not None:
        topics.append(f"return:{result.return_id}")
    with redis.suppress_errors():
        pipeline = redis.async_client().pipeline(transaction=False)
        status = json.dumps(result.live).encode()
        pipeline.set(cache.robot_key(robot_id), status, ex=_STATUS_TTL)
        now = str(clock.now().timestamp())
        pipeline.set(_last_heartbeat_key(robot_id), now, ex=_LAST_HEARTBEAT_TTL)
        position = realtime.position_update(topics, result.live)
        pipeline.publish(position.channel, position.body)
        await pipeline.execute()


def last_heartbeats(robot_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """The time of each robot's last heartbeat, for those that Redis has."""
    if not robot_ids:
        return {}
    with redis.suppress_errors():
        found = redis.client().mget([_last_heartbeat_key(robot_id) for robot_id in robot_ids])
        return {
            robot_id: datetime.fromtimestamp(float(value), UTC)
            for robot_id, value in zip(robot_ids, found, strict=True)
            if isinstance(value, bytes)
        }
    return {}


def retained_since() -> datetime | None:
    """Since when Redis has kept heartbeats: now if it has just been flushed, None while it is down.

    While it is down every heartbeat is written to PostgreSQL. The first sweep after that starts
    anew, so that no robot is judged by heartbeats that could not be stored.
    """
    if redis.is_up():
        with redis.suppress_errors():
            now = clock.now().timestamp()
            redis.client().set(_RETAINED_SINCE_KEY, str(now), nx=True)
            stored = redis.client().get(_RETAINED_SINCE_KEY)
            if isinstance(stored, bytes):
                return datetime.fromtimestamp(float(stored), UTC)
    return None
