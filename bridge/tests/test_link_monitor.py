"""Outages: the robot pauses, no event is lost, and it continues when LUNA is back."""

import pytest

from bridge.protocol.session import SUPERSEDED
from bridge.tests.conftest import Robot, until
from bridge.tests.fake_server import KEY, FakeServer, log_lines, navigation, waypoint

pytestmark = pytest.mark.anyio

A, B, FAR = waypoint("A", 0), waypoint("B", 3), waypoint("FAR", 5000)
EVERYTHING = {"heartbeat", "commands", "stop"}


@pytest.mark.parametrize("how", ["muted", "broken"])
async def test_robot_pauses_during_outage_and_continues_after_it(
    server: FakeServer, robot: Robot, how: str
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    setattr(server, how, set(EVERYTHING))
    await robot.until_log("watchdog.paused")
    await robot.until_standing()
    setattr(server, how, set())
    await server.changed()
    await robot.until_log("watchdog.released")
    await robot.until_moving()
    assert drive.milestones == ["ACCEPTED", "STARTED"]


@pytest.mark.parametrize("how", ["lost", "broken", "malformed"])
async def test_robot_pauses_when_only_its_heartbeats_are_not_answered(
    server: FakeServer, robot: Robot, how: str
) -> None:
    await robot.start(max_silence=1.5)
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    setattr(server, how, {"heartbeat"})
    await robot.until_log("watchdog.paused")
    await robot.until_standing()
    reports = len(drive.types)
    await server.until(lambda: len(drive.types) >= reports + 3)  # these are answered
    assert robot.at_standstill()
    setattr(server, how, set())
    await robot.until_log("watchdog.released")
    await until(lambda: not robot.at_standstill())
    assert drive.milestones == ["ACCEPTED", "STARTED"]


async def test_robot_stopped_during_outage_does_not_continue(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    server.broken = set(EVERYTHING)
    await robot.until_log("watchdog.paused")
    await server.order_stop(stopped=True)
    server.broken = set()
    await server.until(lambda: len(server.stop_events) == 2)
    await robot.until_log("watchdog.released")
    assert robot.at_standstill()


async def test_command_revoked_during_outage_is_not_continued(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    server.broken = set(EVERYTHING)
    await robot.until_log("watchdog.paused")
    await robot.until_standing()
    where = robot.simulator.state().pose
    await server.revoke(drive)
    server.broken = {"events"}  # heartbeats are answered again, but the command is not confirmed
    beats = len(server.heartbeats)
    await server.until(lambda: len(server.heartbeats) >= beats + 3)
    assert robot.simulator.state().pose == where
    server.broken = set()
    await robot.until_log("watchdog.released")
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    assert robot.simulator.state().pose == where


async def test_hanging_poll_is_reopened_after_outage(server: FakeServer, robot: Robot) -> None:
    server.lost = {"next"}
    await robot.start(max_silence=0, poll_wait=60)
    await server.until(lambda: server.unanswered > 0)
    server.lost = set()  # the poll that was swallowed stays so
    announcement = await server.issue("ANNOUNCE", {"text": "received"})
    server.broken = {"heartbeat"}
    await robot.until_log("luna.unreachable")
    assert announcement.types == []
    server.broken = set()
    await server.until(lambda: "SUCCEEDED" in announcement.types)


async def test_events_of_outage_arrive_in_order(server: FakeServer, robot: Robot) -> None:
    await robot.start(max_silence=60)
    server.broken = {"events"}
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: server.heartbeats[-1]["waypoint"] == "B")
    assert drive.events == []
    server.broken = set()
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert drive.milestones == ["ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"]
    assert [event["event_seq"] for event in drive.events] == list(range(1, len(drive.events) + 1))


async def test_event_without_response_is_sent_again_under_its_number(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    server.lose_answers = 3
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert len(drive.attempts) == len(drive.events) + 3
    assert drive.attempts[0] == drive.attempts[1] == drive.attempts[2] == drive.attempts[3]


async def test_superseded_bridge_stops_robot_and_exits(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    server.epoch += 1  # another bridge has opened a session
    assert robot.task is not None
    assert await robot.task == SUPERSEDED
    assert robot.at_standstill()
    assert log_lines(robot.output.getvalue())[-1]["event"] == "bridge.superseded"


async def test_refused_key_stops_robot_until_key_is_replaced(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    server.key = "luna_rb_new_secret"
    await robot.until_log("key.refused")
    await robot.until_standing()
    robot.key_file.write_text("luna_rb_new_secret\n")
    await server.until(lambda: "FAILED" in drive.types)
    assert KEY not in robot.output.getvalue()
    assert "luna_rb_new" not in robot.output.getvalue()


async def test_heartbeat_is_sent_at_once_on_change(server: FakeServer, robot: Robot) -> None:
    await robot.start(heartbeat_idle=60, heartbeat_moving=60)
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await robot.until_moving()
    assert server.heartbeats[-1]["active_command"] == drive.id
    await server.until(lambda: server.heartbeats[-1]["waypoint"] == "B")
    await server.order_stop(stopped=True)
    await server.until(lambda: len(server.heartbeats) >= 4)
