"""The emergency stop reaches the robot during other failures and survives restarts."""

import asyncio

import pytest

from bridge.tests.conftest import Robot
from bridge.tests.fake_server import FakeServer, navigation, waypoint

pytestmark = pytest.mark.anyio

A, B, FAR = waypoint("A", 0), waypoint("B", 3), waypoint("FAR", 5000)


def acknowledged(server: FakeServer) -> list[tuple[str, int]]:
    return [(event["type"], event["stop_version"]) for event in server.stop_events]


async def test_stop_halts_robot_and_is_confirmed_twice(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    await server.order_stop(stopped=True)
    await server.until(lambda: len(server.stop_events) == 2)
    assert acknowledged(server) == [("RECEIVED", 1), ("MOTION_STOPPED", 1)]
    assert server.stop_events[1]["speed"] == 0
    assert robot.at_standstill()
    assert drive.milestones == ["ACCEPTED", "STARTED"]


async def test_motion_stopped_is_reported_only_at_standstill(
    server: FakeServer, robot: Robot
) -> None:
    robot.make_simulator(speed=0.5)  # brakes slowly: 0.7 s
    await robot.start()
    await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    await server.order_stop(stopped=True)
    await server.until(lambda: len(server.stop_events) == 1)
    assert server.stop_events[0]["type"] == "RECEIVED"
    assert server.stop_events[0]["speed"] > 0
    assert not robot.at_standstill()
    await server.until(lambda: len(server.stop_events) == 2)
    assert server.stop_events[1] == {"stop_version": 1, "type": "MOTION_STOPPED", "speed": 0.0}
    assert robot.at_standstill()


async def test_heartbeat_response_stops_robot_when_polls_are_stuck(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start(poll_wait=60)
    await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    server.muted.update({"stop", "next"})  # from now on; the polls under way end by the change
    server.stop = {"stop_version": 1, "stopped": True, "reason": "test"}
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    assert robot.at_standstill()


async def test_stop_is_confirmed_while_command_reports_are_stuck(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    server.muted = {"events"}
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    assert drive.events == []
    server.muted = {f"commands/{drive.id}/events"}
    await server.order_stop(stopped=True)
    await server.until(lambda: len(server.stop_events) == 2)
    assert robot.at_standstill()


async def test_stopped_robot_refuses_to_drive(server: FakeServer, robot: Robot) -> None:
    await server.order_stop(stopped=True)
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: bool(drive.types))
    assert drive.types == ["REFUSED"]
    assert robot.simulator.state().pose.x == 0


async def test_resumed_robot_waits_for_a_new_command(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    first = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    await server.order_stop(stopped=True)
    await server.until(lambda: len(server.stop_events) == 2)
    await server.revoke(first)
    await server.order_stop(stopped=False)
    count = len(server.heartbeats)
    await server.until(lambda: len(server.heartbeats) >= count + 2)
    assert robot.at_standstill()
    again = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    assert "STARTED" in again.types
    assert "ARRIVED" not in first.types


async def test_command_that_overtakes_its_resume_is_executed(
    server: FakeServer, robot: Robot
) -> None:
    await server.order_stop(stopped=True)
    await robot.start(resume_wait=5)
    await server.until(lambda: len(server.stop_events) == 2)
    server.muted = {"stop", "heartbeat"}
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: not server.waiting)
    server.muted = set()
    await server.order_stop(stopped=False)
    await server.until(lambda: "SUCCEEDED" in drive.types)


async def test_command_waits_until_the_stop_state_is_known(
    server: FakeServer, robot: Robot
) -> None:
    server.lost = {"heartbeat"}
    starting = asyncio.create_task(robot.start())
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_log("command.received")
    asked = server.unanswered
    await server.until(lambda: server.unanswered >= asked + 4)  # for longer than for a resume
    assert drive.attempts == []
    server.lost = set()
    await starting
    await robot.until_moving()


async def test_command_that_waits_for_the_stop_state_can_be_cancelled(
    server: FakeServer, robot: Robot
) -> None:
    server.lost = {"heartbeat"}
    starting = asyncio.create_task(robot.start())
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_log("command.received")
    cancel = await server.issue("CANCEL", {"command_id": drive.id})
    await server.until(lambda: "SUCCEEDED" in cancel.types)
    assert drive.types == ["CANCELLED"]
    server.lost = set()
    await starting


async def test_restarted_bridge_of_stopped_robot_refuses_to_drive(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    await server.order_stop(stopped=True)
    await server.until(lambda: len(server.stop_events) == 2)
    await robot.end()
    robot.make_simulator()
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: bool(drive.types))
    assert drive.types == ["REFUSED"]


async def test_stop_voids_queued_commands(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    second = await server.issue("NAVIGATE", navigation(A, B))
    await robot.until_log("command.received", times=2)
    await server.order_stop(stopped=True)
    await server.order_stop(stopped=False)
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    last = await server.issue("ANNOUNCE", {"text": "Here I stand."})
    await server.until(lambda: "SUCCEEDED" in last.types)
    await server.until(lambda: bool(second.types))
    assert second.types == ["REFUSED"]
    assert robot.at_standstill()


async def test_stop_from_restored_backup_is_applied(server: FakeServer, robot: Robot) -> None:
    server.stop["stop_version"] = 7
    await robot.start()
    server.stop = {"stop_version": 3, "stopped": True, "reason": "restored from a backup"}
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await server.until(lambda: bool(server.stop_events))
    assert server.stop_events[0]["stop_version"] == 3
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    assert robot.at_standstill()
    assert "ARRIVED" not in drive.types
