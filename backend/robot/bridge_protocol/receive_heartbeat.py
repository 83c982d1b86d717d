"""Receive heartbeats: from the snapshot of the fleet where nothing has to be written."""

from uuid import UUID

from backend.robot.bridge_protocol import connectivity, due_writes, heartbeats, live_copies
from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
from backend.robot.schemas.bridges import Heartbeat, HeartbeatAnswer
from backend.shared.infra import async_database


async def receive(robot_id: UUID, beat: Heartbeat) -> HeartbeatAnswer:
    """Record a heartbeat; what matters is written before this returns."""
    await SNAPSHOT.ensure_fresh()
    robot = SNAPSHOT.robot(robot_id)
    order = SNAPSHOT.order_for(robot_id)
    # The bridge may know a newer stop, from a poll that another process answered.
    is_current = beat.stop_version is not None and beat.stop_version <= order.version
    is_current = is_current and connectivity.is_marked_online(robot_id)
    if robot is not None and is_current and heartbeats.changes_nothing(robot, beat):
        result = heartbeats.summarize(robot_id, robot, beat, order)
        if result.live is not None and heartbeats.is_due(robot):
            due_writes.add(robot_id, beat)
    else:
        result = await _record(robot_id, beat)
        SNAPSHOT.forget_robot(robot_id)  # until it is read as it is now
    connectivity.record_received(robot_id)
    live_copies.add(robot_id, result)
    return result.answer


async def _record(robot_id: UUID, beat: Heartbeat) -> heartbeats.HeartbeatResult:
    result = await async_database.run(heartbeats.record_heartbeat, robot_id, beat)
    if result.has_unknown_command:
        await async_database.run(heartbeats.resolve_unknown_command, robot_id, beat)
    if result.came_online:
        await async_database.run(heartbeats.issue_pending_command, robot_id)
    return result
