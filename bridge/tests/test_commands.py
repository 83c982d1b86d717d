"""Commands: executed once, halted when the lease is lost, refused when incomplete."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.drivers.simulator import Simulator
from bridge.tests.conftest import SPEED, Robot
from bridge.tests.fake_server import FakeServer, navigation, waypoint

pytestmark = pytest.mark.anyio

A, B, C = waypoint("A", 0), waypoint("B", 3), waypoint("C", 3, 4)
FAR = waypoint("FAR", 5000)
WHOLE_DRIVE = ["ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"]


async def test_robot_drives_its_route_and_reports_each_step(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, B, C), task_id="task-1")
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert drive.milestones == WHOLE_DRIVE
    assert [event["event_seq"] for event in drive.events] == list(range(1, len(drive.events) + 1))
    assert drive.events[-1]["pose"] == {"x": 3.0, "y": 4.0, "theta": 0.0, "floor": 1}
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    assert server.heartbeats[-1]["waypoint"] == "C"
    assert any(beat["active_command"] == drive.id for beat in server.heartbeats)


async def test_drive_takes_the_elevator_between_floors(server: FakeServer, robot: Robot) -> None:
    robot.make_simulator(speed=200)
    await robot.start()
    upstairs = waypoint("B2", 3, 0, floor=2)
    drive = await server.issue("NAVIGATE", navigation(A, B, upstairs))
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert robot.simulator.state().pose.floor == 2
    assert robot.simulator.state().waypoint == "B2"


async def test_progress_reports_remaining_distance(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await server.until(lambda: drive.types.count("PROGRESS") >= 2)
    first, second = [event for event in drive.events if event["type"] == "PROGRESS"][:2]
    assert first["speed"] == pytest.approx(0.31 * SPEED, rel=0.01)
    assert second["remaining_m"] < first["remaining_m"] < 5000
    assert second["pose"]["x"] > first["pose"]["x"] > 0


async def test_command_delivered_twice_continues_under_the_newer_lease(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start(progress=60)
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await server.until(lambda: "STARTED" in drive.types)
    await robot.until_moving()
    await server.issue_again(drive)
    await server.until(lambda: drive.types.count("STARTED") == 2)
    assert drive.milestones == ["ACCEPTED", "STARTED", "ACCEPTED", "STARTED"]
    assert drive.attempts[-1]["lease_token"] == drive.body["lease_token"]
    assert robot.simulator.state().speed > 0
    assert robot.simulator.state().remaining_m < 5000


async def test_revoked_command_issued_again_continues_from_current_position(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, waypoint("D", 40)))
    await robot.until_moving()
    await server.revoke(drive)
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    where = robot.simulator.state().pose.x
    await server.issue_again(drive)
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert 0 < where < 40
    assert robot.simulator.state().waypoint == "D"


async def test_finished_command_delivered_again_is_reported_and_not_driven(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "SUCCEEDED" in drive.types)
    back = await server.issue("NAVIGATE", navigation(B, A))
    await server.until(lambda: "SUCCEEDED" in back.types)
    await server.issue_again(drive)
    await server.until(lambda: drive.types.count("SUCCEEDED") == 2)
    assert robot.simulator.state().waypoint == "A"
    assert drive.milestones == [*WHOLE_DRIVE, "ACCEPTED", "STARTED", "SUCCEEDED"]


async def test_lost_lease_halts_the_robot(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    await server.revoke(drive)
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    assert robot.at_standstill()
    assert not {"FAILED", "CANCELLED", "ARRIVED"} & {event["type"] for event in drive.attempts}


async def test_cancel_command_ends_current_drive(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    cancel = await server.issue("CANCEL", {"command_id": drive.id})
    await server.until(lambda: "SUCCEEDED" in cancel.types)
    assert drive.milestones == ["ACCEPTED", "STARTED", "CANCELLED"]
    assert drive.events[-1]["speed"] == 0
    assert robot.at_standstill()
    assert 0 < robot.simulator.state().pose.x < 5000


async def test_drive_after_cancel_starts_at_current_position(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, B, FAR))
    await robot.until_moving()
    cancel = await server.issue("CANCEL", {"command_id": drive.id})
    await server.until(lambda: "SUCCEEDED" in cancel.types)
    back = await server.issue("NAVIGATE", navigation(FAR, B, A))
    await server.until(lambda: "SUCCEEDED" in back.types)
    assert robot.simulator.state().waypoint == "A"


async def test_pause_and_resume_commands_act_on_current_drive(
    server: FakeServer, robot: Robot
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    pause = await server.issue("PAUSE")
    await server.until(lambda: "SUCCEEDED" in pause.types)
    assert robot.at_standstill()
    await server.until(lambda: server.heartbeats[-1]["errors"] != [])
    assert server.heartbeats[-1]["active_command"] == drive.id
    await server.issue("RESUME")
    await robot.until_moving()
    assert drive.milestones == ["ACCEPTED", "STARTED"]


async def test_second_drive_starts_after_the_first(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    first = await server.issue("NAVIGATE", navigation(A, B))
    second = await server.issue("NAVIGATE", navigation(B, C))
    await server.until(lambda: "SUCCEEDED" in second.types)
    assert first.milestones == second.milestones == WHOLE_DRIVE
    assert robot.simulator.state().waypoint == "C"


async def test_second_drive_ends_a_void_first_one_at_once(server: FakeServer, robot: Robot) -> None:
    await robot.start(progress=60)
    first = await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    await server.revoke(first)
    second = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "SUCCEEDED" in second.types)
    assert robot.simulator.state().waypoint == "B"


async def test_robot_docks_and_undocks(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    dock = await server.issue("DOCK", {"waypoint": A})
    await server.until(lambda: "SUCCEEDED" in dock.types)
    await server.until(lambda: server.heartbeats[-1]["docked"])
    undock = await server.issue("UNDOCK")
    await server.until(lambda: "SUCCEEDED" in undock.types)
    await server.until(lambda: not server.heartbeats[-1]["docked"])


async def test_dock_command_away_from_the_dock_fails(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    dock = await server.issue("DOCK", {"waypoint": FAR})
    await server.until(lambda: "FAILED" in dock.types)
    assert not robot.simulator.state().docked


async def test_announcement_is_logged(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    announcement = await server.issue("ANNOUNCE", {"text": "Your book is here.", "sound": None})
    await server.until(lambda: "SUCCEEDED" in announcement.types)
    assert "Your book is here." in robot.output.getvalue()
    assert server.sessions[-1]["capabilities"] == {"pause": True, "carry": 1, "say": True}


async def test_robot_without_a_voice_says_so(
    server: FakeServer, robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Simulator, "capabilities", {"say": False})
    await robot.start()
    announcement = await server.issue("ANNOUNCE", {"text": "Your book is here.", "sound": None})
    await server.until(lambda: "FAILED" in announcement.types)
    assert server.sessions[-1]["capabilities"] == {"say": False}


@pytest.mark.parametrize(
    ("why", "payload"),
    [
        ("no payload", {}),
        ("no route", {"waypoint": B}),
        ("an empty route to elsewhere", {"waypoint": B, "route": []}),
        ("a route that ends elsewhere", {"waypoint": B, "route": [A, C]}),
        ("a route on another floor", navigation(waypoint("X", 0, 0, floor=2))),
        ("no pose", {"waypoint": {"id": "id-B", "name": "B"}, "route": [A, B]}),
        ("a pose that is no number", navigation(A, {**B, "x": "3"})),
        ("a broken waypoint on the way", navigation(A, {**C, "floor": None}, B)),
        ("a book that nobody has loaded", navigation(A, B, task={"stage": "TO_DESTINATION"})),
    ],
)
async def test_incomplete_navigation_payload_is_refused(
    server: FakeServer, robot: Robot, why: str, payload: dict[str, Any]
) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", payload)
    await server.until(lambda: bool(drive.types))
    assert drive.types == ["REFUSED"]
    assert drive.events[0]["message"]
    assert robot.simulator.state().pose.x == 0


async def test_command_after_its_deadline_is_refused(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    drive = await server.issue("NAVIGATE", navigation(A, B), deadline=yesterday)
    await server.until(lambda: bool(drive.types))
    assert drive.types == ["REFUSED"]


async def test_unknown_command_type_is_refused(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    dance = await server.issue("DANCE")
    await server.until(lambda: bool(dance.types))
    assert dance.types == ["REFUSED"]


async def test_robot_already_at_target_reports_arrival(server: FakeServer, robot: Robot) -> None:
    await robot.start()
    drive = await server.issue("NAVIGATE", {"waypoint": A, "route": []})
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert drive.milestones == WHOLE_DRIVE
