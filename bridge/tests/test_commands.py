"""Commands: taken once, driven once, halted when taken away, refused when anything is unclear."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.tests.conftest import SPEED, Robot
from bridge.tests.fake_server import FakeLuna, journey, waypoint

pytestmark = pytest.mark.anyio

A, B, C = waypoint("A", 0), waypoint("B", 3), waypoint("C", 3, 4)
FAR = waypoint("FAR", 5000)
WHOLE_DRIVE = ["ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"]


async def test_a_robot_drives_its_route_and_reports_each_step(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, B, C), task_id="task-1")
    await luna.until(lambda: "SUCCEEDED" in go.types)
    assert go.milestones == WHOLE_DRIVE
    assert [event["event_seq"] for event in go.events] == list(range(1, len(go.events) + 1))
    assert go.events[-1]["pose"] == {"x": 3.0, "y": 4.0, "theta": 0.0, "floor": 1}
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    assert luna.heartbeats[-1]["waypoint"] == "C"
    assert any(beat["active_command"] == go.id for beat in luna.heartbeats)


async def test_a_drive_takes_the_elevator_between_floors(luna: FakeLuna, robot: Robot) -> None:
    robot.make_simulator(speed=200)
    await robot.start()
    upstairs = waypoint("B2", 3, 0, floor=2)
    go = await luna.give("NAVIGATE", journey(A, B, upstairs))
    await luna.until(lambda: "SUCCEEDED" in go.types)
    assert robot.simulator.state().pose.floor == 2
    assert robot.simulator.state().waypoint == "B2"


async def test_progress_tells_how_far_it_is(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await luna.until(lambda: go.types.count("PROGRESS") >= 2)
    first, second = [event for event in go.events if event["type"] == "PROGRESS"][:2]
    assert first["speed"] == pytest.approx(0.31 * SPEED, rel=0.01)
    assert second["remaining_m"] < first["remaining_m"] < 5000
    assert second["pose"]["x"] > first["pose"]["x"] > 0


async def test_a_command_delivered_twice_is_driven_once_under_the_newer_lease(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start(progress=60)
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await luna.until(lambda: "STARTED" in go.types)
    await robot.until_moving()
    await luna.give_again(go)
    await luna.until(lambda: go.types.count("STARTED") == 2)
    assert go.milestones == ["ACCEPTED", "STARTED", "ACCEPTED", "STARTED"]
    assert go.tries[-1]["lease_token"] == go.body["lease_token"]
    assert robot.simulator.state().speed > 0
    assert robot.simulator.state().remaining_m < 5000


async def test_a_command_lost_and_delivered_again_goes_on_from_where_the_robot_stands(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, waypoint("D", 40)))
    await robot.until_moving()
    await luna.take_away(go)
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    where = robot.simulator.state().pose.x
    await luna.give_again(go)
    await luna.until(lambda: "SUCCEEDED" in go.types)
    assert 0 < where < 40
    assert robot.simulator.state().waypoint == "D"


async def test_a_finished_command_that_comes_again_is_not_driven_again(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: "SUCCEEDED" in go.types)
    back = await luna.give("NAVIGATE", journey(B, A))
    await luna.until(lambda: "SUCCEEDED" in back.types)
    await luna.give_again(go)
    await luna.until(lambda: go.types.count("SUCCEEDED") == 2)
    assert robot.simulator.state().waypoint == "A"
    assert go.milestones == [*WHOLE_DRIVE, "SUCCEEDED"]


async def test_a_lost_lease_halts_the_robot(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    await luna.take_away(go)
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    assert robot.stands()
    assert not {"FAILED", "CANCELLED", "ARRIVED"} & {event["type"] for event in go.tries}


async def test_a_cancel_overtakes_the_drive(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    cancel = await luna.give("CANCEL", {"command_id": go.id})
    await luna.until(lambda: "SUCCEEDED" in cancel.types)
    assert go.milestones == ["ACCEPTED", "STARTED", "CANCELLED"]
    assert go.events[-1]["speed"] == 0
    assert robot.stands()
    assert 0 < robot.simulator.state().pose.x < 5000


async def test_after_a_cancel_the_next_drive_begins_where_the_robot_stands(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, B, FAR))
    await robot.until_moving()
    cancel = await luna.give("CANCEL", {"command_id": go.id})
    await luna.until(lambda: "SUCCEEDED" in cancel.types)
    back = await luna.give("NAVIGATE", journey(FAR, B, A))
    await luna.until(lambda: "SUCCEEDED" in back.types)
    assert robot.simulator.state().waypoint == "A"


async def test_pause_and_resume_overtake_the_drive(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    pause = await luna.give("PAUSE")
    await luna.until(lambda: "SUCCEEDED" in pause.types)
    assert robot.stands()
    await luna.until(lambda: luna.heartbeats[-1]["errors"] != [])
    assert luna.heartbeats[-1]["active_command"] == go.id
    await luna.give("RESUME")
    await robot.until_moving()
    assert go.milestones == ["ACCEPTED", "STARTED"]


async def test_a_second_drive_waits_for_the_first(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    first = await luna.give("NAVIGATE", journey(A, B))
    second = await luna.give("NAVIGATE", journey(B, C))
    await luna.until(lambda: "SUCCEEDED" in second.types)
    assert first.milestones == second.milestones == WHOLE_DRIVE
    assert robot.simulator.state().waypoint == "C"


async def test_a_second_drive_makes_a_void_first_one_end_at_once(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start(progress=60)
    first = await luna.give("NAVIGATE", journey(A, FAR))
    await robot.until_moving()
    await luna.take_away(first)
    second = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: "SUCCEEDED" in second.types)
    assert robot.simulator.state().waypoint == "B"


async def test_a_robot_docks_charges_and_leaves_its_dock(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    dock = await luna.give("DOCK", {"waypoint": A})
    await luna.until(lambda: "SUCCEEDED" in dock.types)
    await luna.until(lambda: luna.heartbeats[-1]["docked"])
    undock = await luna.give("UNDOCK")
    await luna.until(lambda: "SUCCEEDED" in undock.types)
    await luna.until(lambda: not luna.heartbeats[-1]["docked"])


async def test_a_robot_does_not_dock_from_afar(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    dock = await luna.give("DOCK", {"waypoint": FAR})
    await luna.until(lambda: "FAILED" in dock.types)
    assert not robot.simulator.state().docked


async def test_an_announcement_is_said(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    said = await luna.give("ANNOUNCE", {"text": "Your book is here.", "sound": None})
    await luna.until(lambda: "SUCCEEDED" in said.types)
    assert "Your book is here." in robot.output.getvalue()


@pytest.mark.parametrize(
    ("why", "payload"),
    [
        ("no payload", {}),
        ("no route", {"waypoint": B}),
        ("an empty route to elsewhere", {"waypoint": B, "route": []}),
        ("a route that ends elsewhere", {"waypoint": B, "route": [A, C]}),
        ("a route on another floor", journey(waypoint("X", 0, 0, floor=2))),
        ("no pose", {"waypoint": {"id": "id-B", "name": "B"}, "route": [A, B]}),
        ("a pose that is no number", journey(A, {**B, "x": "3"})),
        ("a broken waypoint on the way", journey(A, {**C, "floor": None}, B)),
        ("a book that nobody has loaded", journey(A, B, task={"stage": "TO_DESTINATION"})),
    ],
)
async def test_a_drive_that_leaves_anything_open_is_refused(
    luna: FakeLuna, robot: Robot, why: str, payload: dict[str, Any]
) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", payload)
    await luna.until(lambda: bool(go.types))
    assert go.types == ["REFUSED"]
    assert go.events[0]["message"]
    assert robot.simulator.state().pose.x == 0


async def test_a_command_after_its_deadline_is_refused(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    go = await luna.give("NAVIGATE", journey(A, B), deadline=yesterday)
    await luna.until(lambda: bool(go.types))
    assert go.types == ["REFUSED"]


async def test_a_command_that_the_robot_does_not_know_is_refused(
    luna: FakeLuna, robot: Robot
) -> None:
    await robot.start()
    dance = await luna.give("DANCE")
    await luna.until(lambda: bool(dance.types))
    assert dance.types == ["REFUSED"]


async def test_a_robot_that_stands_at_the_target_has_arrived(luna: FakeLuna, robot: Robot) -> None:
    await robot.start()
    go = await luna.give("NAVIGATE", {"waypoint": A, "route": []})
    await luna.until(lambda: "SUCCEEDED" in go.types)
    assert go.milestones == WHOLE_DRIVE
