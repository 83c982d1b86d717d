"""Breaks: the robot stops by itself, nothing is lost, and it is back as soon as LUNA is."""

import pytest

from bridge.protocol.session import SUPERSEDED
from bridge.tests.conftest import Robot
from bridge.tests.fake_server import KEY, FakeLuna, journey, log_lines, waypoint

pytestmark = pytest.mark.anyio

A, B, FAR = waypoint("A", 0), waypoint("B", 3), waypoint("FAR", 5000)
EVERYTHING = {"heartbeat", "commands", "stop"}


@pytest.mark.parametrize("how", ["mute", "broken"])
async def test_a_robot_without_luna_pauses_and_goes_on_when_it_is_back(
    luna: FakeLuna, robot: Robot, how: str
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    setattr(luna, how, set(EVERYTHING))
    await robot.until_log("deadman.paused")
    await robot.until_standing()
    setattr(luna, how, set())
    await luna.changed()
    await robot.until_log("deadman.released")
    await robot.until_moving()
    assert go.milestones == ["ACCEPTED", "STARTED"]


async def test_a_robot_that_was_stopped_during_a_break_does_not_go_on(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    luna.broken = set(EVERYTHING)
    await robot.until_log("deadman.paused")
    await luna.order_stop(stopped=True)
    luna.broken = set()
    await luna.until(lambda: len(luna.stop_events) == 2)
    await robot.until_log("deadman.released")
    assert robot.stands()


async def test_a_command_given_to_another_during_a_break_is_not_driven_on(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    luna.broken = set(EVERYTHING)
    await robot.until_log("deadman.paused")
    await robot.until_standing()
    where = robot.simulator.state().pose
    await luna.take_away(go)
    luna.broken = {"events"}  # heartbeats are answered again, but the command is not confirmed
    beats = len(luna.heartbeats)
    await luna.until(lambda: len(luna.heartbeats) >= beats + 3)
    assert robot.simulator.state().pose == where
    luna.broken = set()
    await robot.until_log("deadman.released")
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    assert robot.simulator.state().pose == where


async def test_polls_that_hang_since_a_break_are_opened_anew(luna: FakeLuna, robot: Robot) -> None:
    luna.lost = {"next"}
    await robot.start(silence=0, poll_wait=60)
    await luna.until(lambda: luna.swallowed > 0)
    luna.lost = set()  # the poll that was swallowed stays so
    said = await luna.give("ANNOUNCE", {"text": "heard"})
    luna.broken = {"heartbeat"}
    await robot.until_log("luna.unreachable")
    assert said.types == []
    luna.broken = set()
    await luna.until(lambda: "SUCCEEDED" in said.types)


async def test_events_of_a_break_arrive_in_order_with_their_numbers(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start(silence=60)
    luna.broken = {"events"}
    go = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: luna.heartbeats[-1]["waypoint"] == "B")
    assert go.events == []
    luna.broken = set()
    await luna.until(lambda: "SUCCEEDED" in go.types)
    assert go.milestones == ["ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"]
    assert [event["event_seq"] for event in go.events] == list(range(1, len(go.events) + 1))


async def test_an_event_whose_answer_got_lost_is_sent_again_under_its_number(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    luna.lose_answers = 3
    go = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: "SUCCEEDED" in go.types)
    assert len(go.tries) == len(go.events) + 3
    assert go.tries[0] == go.tries[1] == go.tries[2] == go.tries[3]


async def test_an_older_bridge_stops_its_robot_and_ends_with_3(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    luna.epoch += 1  # another bridge has opened a session
    assert robot.task is not None
    assert await robot.task == SUPERSEDED
    assert robot.stands()
    assert log_lines(robot.output.getvalue())[-1]["event"] == "bridge.superseded"


async def test_a_revoked_key_stops_the_robot_until_it_has_a_new_one(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    luna.key = "luna_rb_new_secret"
    await robot.until_log("key.refused")
    await robot.until_standing()
    robot.key_file.write_text("luna_rb_new_secret\n")
    await luna.until(lambda: "FAILED" in go.types)
    assert KEY not in robot.output.getvalue()
    assert "luna_rb_new" not in robot.output.getvalue()


async def test_heartbeats_come_at_once_when_something_changes(luna: FakeLuna, robot: Robot) -> None:
    await robot.start(heartbeat_idle=60, heartbeat_moving=60)
    go = await luna.give("NAVIGATE", journey(A, B))
    await robot.until_moving()
    assert luna.heartbeats[-1]["active_command"] == go.id
    await luna.until(lambda: luna.heartbeats[-1]["waypoint"] == "B")
    await luna.order_stop(stopped=True)
    await luna.until(lambda: len(luna.heartbeats) >= 4)
