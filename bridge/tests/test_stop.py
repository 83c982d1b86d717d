"""The emergency stop reaches the robot whatever else is stuck, and outlives everything."""

import pytest

from bridge.tests.conftest import Robot
from bridge.tests.fake_server import FakeLuna, journey, waypoint

pytestmark = pytest.mark.anyio

A, B, FAR = waypoint("A", 0), waypoint("B", 3), waypoint("FAR", 5000)


def acknowledged(luna: FakeLuna) -> list[tuple[str, int]]:
    return [(event["type"], event["stop_version"]) for event in luna.stop_events]


async def test_a_stop_brakes_the_robot_and_is_acknowledged_twice(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    await luna.order_stop(stopped=True)
    await luna.until(lambda: len(luna.stop_events) == 2)
    assert acknowledged(luna) == [("RECEIVED", 1), ("MOTION_STOPPED", 1)]
    assert luna.stop_events[1]["speed"] == 0
    assert robot.stands()
    assert go.milestones == ["ACCEPTED", "STARTED"]


async def test_motion_stopped_is_not_said_while_the_robot_still_rolls(
    luna: FakeLuna, robot: Robot
) -> None:
    robot.make_simulator(speed=0.5)  # brakes slowly: 0.7 s
    await robot.start()
    await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    await luna.order_stop(stopped=True)
    await luna.until(lambda: len(luna.stop_events) == 1)
    assert luna.stop_events[0]["type"] == "RECEIVED"
    assert luna.stop_events[0]["speed"] > 0
    assert not robot.stands()
    await luna.until(lambda: len(luna.stop_events) == 2)
    assert luna.stop_events[1] == {"stop_version": 1, "type": "MOTION_STOPPED", "speed": 0.0}
    assert robot.stands()


async def test_a_heartbeat_stops_the_robot_when_the_polls_are_stuck(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start(poll_wait=60)
    await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    luna.mute.update({"stop", "next"})  # from now on; the polls under way end by the change
    luna.stop = {"stop_version": 1, "stopped": True, "reason": "test"}
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    assert robot.stands()


async def test_a_stop_is_acknowledged_while_command_events_are_stuck(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    luna.mute = {"events"}
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    assert go.events == []
    luna.mute = {f"commands/{go.id}/events"}
    await luna.order_stop(stopped=True)
    await luna.until(lambda: len(luna.stop_events) == 2)
    assert robot.stands()


async def test_a_stopped_robot_refuses_to_drive(luna: FakeLuna, robot: Robot) -> None:
    await luna.order_stop(stopped=True)
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: bool(go.types))
    assert go.types == ["REFUSED"]
    assert robot.simulator.state().pose.x == 0


async def test_after_a_resume_the_robot_waits_to_be_told_anew(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    first = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    await luna.order_stop(stopped=True)
    await luna.until(lambda: len(luna.stop_events) == 2)
    await luna.take_away(first)
    await luna.order_stop(stopped=False)
    count = len(luna.heartbeats)
    await luna.until(lambda: len(luna.heartbeats) >= count + 2)
    assert robot.stands()
    again = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    assert "STARTED" in again.types
    assert "ARRIVED" not in first.types


async def test_a_go_that_overtakes_its_resume_is_driven(luna: FakeLuna, robot: Robot) -> None:
    await luna.order_stop(stopped=True)
    await robot.start(stop_doubt=5)
    await luna.until(lambda: len(luna.stop_events) == 2)
    luna.mute = {"stop", "heartbeat"}
    go = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: not luna.waiting)
    luna.mute = set()
    await luna.order_stop(stopped=False)
    await luna.until(lambda: "SUCCEEDED" in go.types)


async def test_a_stop_is_remembered_across_a_restart_of_the_bridge(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    await luna.order_stop(stopped=True)
    await luna.until(lambda: len(luna.stop_events) == 2)
    await robot.end()
    robot.make_simulator()
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: bool(go.types))
    assert go.types == ["REFUSED"]


async def test_a_stop_voids_what_was_lined_up(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    second = await luna.give("NAVIGATE", journey(A, B))
    await robot.until_log("command.received", times=2)
    await luna.order_stop(stopped=True)
    await luna.order_stop(stopped=False)
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    last = await luna.give("ANNOUNCE", {"text": "Here I stand."})
    await luna.until(lambda: "SUCCEEDED" in last.types)
    await luna.until(lambda: bool(second.types))
    assert second.types == ["REFUSED"]
    assert robot.stands()


async def test_a_luna_that_went_back_in_time_is_still_obeyed(luna: FakeLuna, robot: Robot) -> None:
    luna.stop["stop_version"] = 7
    await robot.start()
    luna.stop = {"stop_version": 3, "stopped": True, "reason": "restored from a backup"}
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await luna.until(lambda: bool(luna.stop_events))
    assert luna.stop_events[0]["stop_version"] == 3
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    assert robot.stands()
    assert "ARRIVED" not in go.types
