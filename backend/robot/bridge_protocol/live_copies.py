"""The copy of each robot's last heartbeat in Redis, and its message for the live view.

Both are collected and written four times a second, in one round trip each for all robots.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.robot.bridge_protocol.heartbeats import HeartbeatResult
from backend.robot.schemas.robots import RobotRead
from backend.shared.infra import cache, cache_connection, commit_hooks, config, redis
from backend.shared.messaging import realtime

_STATUS_TTL = "5"  # seconds
_INTERVAL = 0.25  # seconds
_STORED = ("pose", "battery_level", "charging", "docked")
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


async def read(robot_ids: Sequence[UUID]) -> Sequence[bytes | None]:
    """Return the live copy of each robot, None for one without; none without Redis."""
    if robot_ids and redis.is_up():
        with redis.suppress_errors():
            return await cache_connection.mget(*map(cache.robot_key, robot_ids))
    return [None for _ in robot_ids]


def merge(robot: RobotRead, copy: bytes | None) -> RobotRead:
    """Return a robot with what its newest heartbeat reported, where the database is behind.

    The speed is always that of the copy: what the database has is an average for arrival times.
    """
    if copy is None:
        return robot
    live = json.loads(copy)
    heard = datetime.fromisoformat(live["last_heartbeat"])
    newer = {"speed": live["speed"]}
    if robot.last_heartbeat is None or heard > robot.last_heartbeat:
        location = live["current_location"] or robot.current_location
        newer |= {"current_location": location, "last_heartbeat": heard}
        newer |= {name: live[name] for name in _STORED}
    return robot.model_copy(update=newer)


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
    commands: list[cache_connection.Command] = []
    messages = []
    for robot_id, (topics, live) in batch.items():
        copy = json.dumps(live)
        commands.append(("SET", cache.robot_key(robot_id), copy, "EX", _STATUS_TTL))
        messages.append(realtime.position_update(topics, copy))
    with redis.suppress_errors():
        await cache_connection.run(config.redis().cache_url or config.redis().redis_url, commands)
    await commit_hooks.send_async(messages)
