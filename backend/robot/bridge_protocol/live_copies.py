"""The copy of each robot's last heartbeat in Redis, and its message for the live view."""

import json
from datetime import timedelta
from uuid import UUID

from backend.robot.bridge_protocol.heartbeats import HeartbeatResult
from backend.shared.infra import cache, redis
from backend.shared.messaging import realtime

_STATUS_TTL = timedelta(seconds=5)


async def publish(robot_id: UUID, result: HeartbeatResult) -> None:
    """Store the robot's status and publish it to the live view."""
    if result.live is None or not redis.is_up():
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
        position = realtime.position_update(topics, result.live)
        pipeline.publish(position.channel, position.body)
        await pipeline.execute()
