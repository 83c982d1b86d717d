"""The simulator: its position follows from the clock, its state survives a crash."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.drivers.base import DriveFailedError, DriveRefusedError
from bridge.drivers.simulated_drive import BRAKING_S, CRUISE_M_S, ELEVATOR_S, SimulatedDrive
from bridge.drivers.simulator import Place, Simulator
from bridge.messages import Pose, Waypoint, waypoint_from
from bridge.motion.route import planned_route
from bridge.tests.fake_server import navigation, waypoint

A = waypoint_from(waypoint("A", 0.0))
B = waypoint_from(waypoint("B", 3.1))
C = waypoint_from(waypoint("C", 3.1, 3.1))
UPSTAIRS = waypoint_from(waypoint("C2", 3.1, 3.1, floor=2))
START = Place(0.0, 0.0, 0.0, 1, "A")


def drive_along(*route: Waypoint, factor: float = 1.0) -> SimulatedDrive:
    made = SimulatedDrive(A, route, factor, now=100.0)
    made.start(100.0)
    return made


def test_position_follows_from_elapsed_time() -> None:
    drive = drive_along(B, C)
    assert drive.pose(105.0).x == pytest.approx(5 * CRUISE_M_S)
    assert drive.pose(115.0).y == pytest.approx(5 * CRUISE_M_S)
    assert drive.speed(115.0) == pytest.approx(CRUISE_M_S)
    assert drive.waypoint(115.0) is None
    assert drive.remaining(115.0) == pytest.approx(5 * CRUISE_M_S)
    assert drive.time_left(115.0) == pytest.approx(5.0)


def test_drive_ends_at_target() -> None:
    drive = drive_along(B, C)
    assert drive.pose(120.5) == C.pose
    assert (drive.speed(120.5), drive.waypoint(120.5)) == (0.0, "C")
    assert drive.time_left(120.5) == 0.0


def test_tenfold_speed_takes_a_tenth_of_the_time() -> None:
    drive = drive_along(B, C, factor=10)
    assert drive.time_left(100.0) == pytest.approx(2.0)
    assert drive.speed(101.5) == pytest.approx(10 * CRUISE_M_S)


def test_braking_robot_comes_to_standstill() -> None:
    drive = drive_along(B)
    drive.brake(105.0)
    rest = 105.0 + BRAKING_S
    assert drive.speed(105.0) == pytest.approx(CRUISE_M_S)
    assert 0 < drive.speed(105.0 + BRAKING_S / 2) < CRUISE_M_S
    assert drive.speed(rest) == 0
    assert drive.pose(rest).x == pytest.approx(5 * CRUISE_M_S + CRUISE_M_S * BRAKING_S / 2)
    assert drive.pose(rest) == drive.pose(rest + 1000)
    drive.start(200.0)
    assert drive.pose(201.0).x == pytest.approx(drive.pose(rest).x + CRUISE_M_S)


def test_elevator_changes_floor_without_distance() -> None:
    drive = drive_along(B, C, UPSTAIRS)
    riding = 120.0 + ELEVATOR_S / 2
    assert (drive.pose(riding).floor, drive.speed(riding)) == (1, 0.0)
    assert drive.pose(120.0 + ELEVATOR_S).floor == 2
    assert drive.driven(riding) == pytest.approx(6.2)


@pytest.mark.parametrize(
    ("here", "ahead"),
    [
        (Pose(0, 0, 0, 1), ["B", "C"]),
        (Pose(2, 0.2, 0, 1), ["B", "C"]),
        (Pose(3.1, 2, 0, 1), ["C"]),
        (Pose(9, 9, 0, 1), ["A", "B", "C"]),
    ],
)
def test_route_omits_passed_waypoints(here: Pose, ahead: list[str]) -> None:
    payload = navigation(waypoint("A", 0.0), waypoint("B", 3.1), waypoint("C", 3.1, 3.1))
    assert [point.name for point in planned_route(payload, here)] == ahead


@pytest.mark.anyio
async def test_driving_discharges_and_docking_charges_battery(tmp_path: Path) -> None:
    robot = Simulator(START, speed=1000, state_file=tmp_path / "robot.json", range_m=31)
    await robot.navigate([B])
    assert robot.state().battery == pytest.approx(0.9)
    await robot.dock(B)
    docked = robot.state()
    assert docked.charging
    assert docked.docked
    await robot.navigate([A])
    assert not robot.state().docked
    assert robot.state().waypoint == "A"


@pytest.mark.anyio
async def test_empty_battery_fails_the_drive(tmp_path: Path) -> None:
    robot = Simulator(START, speed=100, state_file=tmp_path / "robot.json", range_m=2)
    with pytest.raises(DriveFailedError):
        await robot.navigate([replace(B, pose=replace(B.pose, x=1000.0))])
    assert robot.state().battery == 0


@pytest.mark.anyio
async def test_docking_away_from_dock_is_refused(tmp_path: Path) -> None:
    robot = Simulator(START, speed=100, state_file=tmp_path / "robot.json")
    with pytest.raises(DriveRefusedError):
        await robot.dock(B)


@pytest.mark.anyio
async def test_new_simulator_continues_from_saved_state(tmp_path: Path) -> None:
    file = tmp_path / "robot.json"
    await Simulator(START, speed=1000, state_file=file).navigate([B, C, UPSTAIRS])
    again = Simulator(START, speed=1000, state_file=file).state()
    assert (again.waypoint, again.pose.floor) == ("C2", 2)
    assert again.battery < 1


def test_invalid_state_file_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "robot.json"
    file.write_text(json.dumps({"x": "here", "y": 0, "theta": 0, "floor": 1}))
    assert Simulator(START, speed=1, state_file=file).state().waypoint == "A"
