"""The driver of a TurtleBot 4 against a fake one that behaves as badly as those in the field."""

import asyncio
import math
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest

from bridge.drivers.base import DriveFailedError, DriveRefusedError
from bridge.drivers.nav2.alignment import Alignment
from bridge.drivers.nav2.battery import CONFIRMED_AFTER_S, BatteryFilter
from bridge.drivers.nav2.driver import Limits, Nav2Driver
from bridge.messages import Pose, waypoint_from
from bridge.tests.conftest import until
from bridge.tests.fake_nav2 import FakeTurtleBot
from bridge.tests.fake_server import waypoint

pytestmark = pytest.mark.anyio

B = waypoint_from(waypoint("B", 3.0))
C = waypoint_from(waypoint("C", 3.0, 3.0))
FAR = waypoint_from(waypoint("FAR", 5000.0))
DOCK = waypoint_from(waypoint("Dock", 0.0))
UPSTAIRS = waypoint_from(waypoint("Up", 3.0, floor=2))
QUICK = Limits(
    call=0.3, start=0.2, stall=0.3, docking=0.2, undocking=0.2, cancel=0.1, charging=0.05,
    interval=0.005,
)  # fmt: skip


@pytest.fixture
async def bot(anyio_backend: str) -> FakeTurtleBot:
    return FakeTurtleBot()


@pytest.fixture
async def driver(bot: FakeTurtleBot) -> AsyncIterator[Nav2Driver]:
    made = Nav2Driver(bot, bot, Alignment(), QUICK)
    yield made
    bot.let_go.set()
    await made.close()


def test_bridge_without_ros_says_in_one_sentence_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "--driver", "nav2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("The driver nav2 needs ROS 2 Jazzy with turtlebot4_navigation")
    assert "install ros-jazzy-turtlebot4-navigation" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_simulator_imports_nothing_of_ros() -> None:
    code = "import bridge.cli, sys; assert 'bridge.drivers.nav2.ros' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  our own code


async def test_route_is_driven_to_its_target(driver: Nav2Driver, bot: FakeTurtleBot) -> None:
    await driver.navigate([B, C])
    state = driver.state()
    assert (state.waypoint, state.speed, state.remaining_m) == ("C", 0.0, 0.0)
    assert [len(goal) for goal in bot.goals] == [2]
    assert bot.speed_limit == QUICK.max_speed


async def test_accepted_goal_that_does_not_begin_fails(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.never_begins = True
    with pytest.raises(DriveFailedError, match="did not begin"):
        await driver.navigate([B])
    assert bot.cancels == 1
    assert bot.braked


async def test_rejected_goal_fails(driver: Nav2Driver, bot: FakeTurtleBot) -> None:
    bot.rejects = True
    with pytest.raises(DriveFailedError, match="rejected"):
        await driver.navigate([B])


async def test_goal_that_nav2_aborts_after_acceptance_fails(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.aborts = True
    with pytest.raises(DriveFailedError, match="FAILED"):
        await driver.navigate([B])


async def test_success_away_from_the_target_is_a_failure(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.ends_elsewhere = 2.0
    with pytest.raises(DriveFailedError, match=r"2\.0 m from B"):
        await driver.navigate([B])
    assert driver.state().waypoint is None


async def test_drive_without_progress_ends_as_blocked(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.blocked_after = 1.0
    with pytest.raises(DriveFailedError, match="PATH_BLOCKED"):
        await driver.navigate([B])
    assert bot.braked


async def moving(driver: Nav2Driver, *route: object) -> "asyncio.Task[None]":
    task = asyncio.create_task(driver.navigate(list(route)))  # type: ignore[arg-type]  # waypoints
    await until(lambda: driver.state().speed > 0)
    return task


async def test_stop_brakes_although_nav2_ignores_the_cancellation(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.ignores_cancel = True
    drive = await moving(driver, FAR)
    began = time.monotonic()
    stopping = asyncio.create_task(driver.stop())
    await until(lambda: driver.state().speed == 0)
    assert time.monotonic() - began < QUICK.cancel  # it does not wait for Nav2
    await stopping
    with pytest.raises(DriveFailedError):
        await drive
    place = driver.state().pose
    with pytest.raises(DriveRefusedError, match="earlier goal"):
        await driver.navigate([B])
    assert driver.state().pose == place
    bot.ignores_cancel = False
    await driver.navigate([waypoint_from(waypoint("near", place.x + 1))])


async def test_cancelled_drive_leaves_the_robot_at_standstill(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    drive = await moving(driver, FAR)
    drive.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drive
    assert driver.state().speed == 0
    assert bot.cancels == 1


async def test_paused_drive_continues_to_its_target(driver: Nav2Driver, bot: FakeTurtleBot) -> None:
    target = waypoint_from(waypoint("T", 15.0))
    drive = await moving(driver, B, target)
    await driver.pause()
    place = driver.state().pose
    assert (driver.state().speed, drive.done()) == (0, False)
    await driver.resume()
    await drive
    assert driver.state().waypoint == "T"
    assert len(bot.goals) == 2
    assert bot.goals[1][-1].x == 15
    assert place.x < 15


async def test_drive_that_starts_while_paused_waits(driver: Nav2Driver, bot: FakeTurtleBot) -> None:
    await driver.pause()
    drive = asyncio.create_task(driver.navigate([B]))
    await until(lambda: not drive.done() and bot.cancels == 0)
    assert bot.goals == []
    await driver.resume()
    await drive


async def test_undocking_that_never_ends_fails(driver: Nav2Driver, bot: FakeTurtleBot) -> None:
    bot.docked = bot.never_undocks = True
    with pytest.raises(DriveFailedError, match="undocking did not end"):
        await driver.navigate([B])
    assert bot.goals == []
    assert bot.braked


async def test_docking_counts_only_when_the_dock_sensor_confirms_it(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.never_docks = True
    with pytest.raises(DriveFailedError, match="docking did not end"):
        await driver.dock(DOCK)
    bot.never_docks = False
    await driver.dock(DOCK)
    assert driver.state().charging


async def test_docked_robot_that_drains_is_not_charging_and_reports_it(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.docked, bot.charges = True, False
    assert not driver.state().charging
    await until(lambda: any(e["type"] == "NOT_CHARGING" for e in driver.state().errors))


async def test_navigator_that_hangs_makes_the_robot_brake_and_refuse(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    drive = await moving(driver, FAR)
    bot.hangs = True
    with pytest.raises(DriveFailedError, match="did not return"):
        await drive
    assert driver.state().speed == 0
    assert driver.state().errors[0]["level"] == "FATAL"
    with pytest.raises(DriveFailedError, match="restart the bridge"):
        await driver.navigate([B])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("localized", False, "where it is"),
        ("pose_age", 10.0, "where it is"),
        ("odometry_age", 5.0, "odometry"),
        ("lifted", True, "lifted"),
    ],
)
async def test_unfit_robot_refuses_to_drive(
    driver: Nav2Driver, bot: FakeTurtleBot, field: str, value: object, message: str
) -> None:
    setattr(bot, field, value)
    with pytest.raises(DriveRefusedError, match=message):
        await driver.navigate([B])
    assert bot.goals == []
    assert driver.state().errors[0]["level"] == "CRITICAL"


async def test_route_to_another_floor_is_refused(driver: Nav2Driver, bot: FakeTurtleBot) -> None:
    with pytest.raises(DriveRefusedError, match="floor"):
        await driver.navigate([B, UPSTAIRS])
    assert bot.goals == []


async def test_old_odometry_is_no_proof_of_standstill(
    driver: Nav2Driver, bot: FakeTurtleBot
) -> None:
    bot.odometry_age = 5.0
    assert driver.state().speed > 0


async def test_battery_that_reads_zero_or_jumps_is_not_believed_at_once() -> None:
    battery = BatteryFilter()
    assert battery.update(0.0, 0) == 0
    assert not battery.is_known
    assert battery.update(0.8, 1) == 0.8
    assert battery.update(0.0, 2) == 0.8
    assert battery.update(0.79, 3) == 0.79
    assert battery.update(1.5, 4) == 0.79
    assert battery.update(0.1, 5) == 0.79
    assert battery.update(0.1, 5 + CONFIRMED_AFTER_S - 1) == 0.79
    assert battery.update(0.1, 5 + CONFIRMED_AFTER_S) == 0.1


async def test_alignment_maps_both_ways() -> None:
    alignment = Alignment(10.0, 5.0, math.pi / 2, 2)
    luna = alignment.to_luna(Pose(1.0, 2.0, 0.0, 1))
    assert luna.distance(Pose(8.0, 6.0, 0.0, 2)) < 1e-9
    assert luna.floor == 2
    assert luna.theta == pytest.approx(math.pi / 2)
    back = alignment.to_ros(luna)
    assert back.distance(Pose(1.0, 2.0, 0.0, 1)) < 1e-9
    assert back.theta == pytest.approx(0.0)
