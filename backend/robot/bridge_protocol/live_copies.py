"""The copy of each robot's last heartbeat in Redis, and its message for the live view.

Both are collected and written four times a second, in one round trip for all robots.
"""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from backend.robot.bridge_protocol.heartbeats import HeartbeatResult
from backend.shared.infra import cache, redis
from backend.shared.messaging import realtime

_STATUS_TTL = timedelta(seconds=5)
_INTERVAL = 0.25  # seconds
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
        pipeline = redis.async_client().pipeline(transaction=False)
        for robot_id, (topics, live) in batch.items():
            pipeline.set(cache.robot_key(robot_id), json.dumps(live).encode(), ex=_STATUS_TTL)
            position = realtime.position_update(topics, live)
            pipeline.publish(position.channel, position.body)
        await pipeline.execute()
