"""The copy of each robot's last heartbeat in Redis, and its message for the live view.

Both are collected and written four times a second, in one round trip each for all robots.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backend.robot.bridge_protocol.heartbeats import HeartbeatResult
from backend.robot.schemas.robots import RobotRead
from backend.shared.infra import cache, cache_connection, redis
from backend.shared.messaging import realtime

_STATUS_TTL = timedelta(seconds=5)
_INTERVAL = 0.25  # seconds
_MEASURED = ("pose", "battery_level", "charging", "docked", "speed")
_pending: dict[UUID, tuple[list[str], dict[str, Any]]] = {}


def add(robot_id: UUID, result: HeartbeatResult) -> None:
    """Write the robot's status with the next batch, unless a newer heartbeat has come."""
    if result.live is None:
        return
    topics = ["robots", f"robot:{robot_id}"]
    if result.request_id is not None:
        topics.append(f"request:{result.request_id}")
    if result.return_id is not None:
        topics.append(f"return:{result.return_id}")
    _pending[robot_id] = (topics, result.live)


async def read(robot_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return the live copy of each robot, empty for one without; all empty without Redis."""
    if robot_ids and redis.is_up():
        with redis.suppress_errors():
            found = await cache_connection.mget(*map(cache.robot_key, robot_ids))
            return [json.loads(copy) if copy is not None else {} for copy in found]
    return [{} for _ in robot_ids]


def merge(robot: RobotRead, live: dict[str, Any]) -> RobotRead:
    """Return a robot with what its newest heartbeat reported, where the database is behind."""
    if not live:
        return robot
    heard = datetime.fromisoformat(live["last_heartbeat"])
    if robot.last_heartbeat is not None and heard <= robot.last_heartbeat:
        return robot
    newer = {name: live[name] for name in _MEASURED}
    location = live["current_location"] or robot.current_location
    return robot.model_copy(update={**newer, "current_location": location, "last_heartbeat": heard})


async def write_batches() -> None:
    """Write what was collected, forever."""
    while True:
        await asyncio.sleep(_INTERVAL)
        await _write()


async def _write() -> None:
    batch = dict(_pending)
    _pending.clear()
    if not batch or not redis.is_up():
        return
    with redis.suppress_errors():
        copies = redis.async_cache_client().pipeline(transaction=False)
        messages = redis.async_client().pipeline(transaction=False)
        for robot_id, (topics, live) in batch.items():
            copy = json.dumps(live)
            copies.set(cache.robot_key(robot_id), copy.encode(), ex=_STATUS_TTL)
            position = realtime.position_update(topics, copy)
            messages.publish(position.channel, position.body)
        await copies.execute()
        await messages.execute()
