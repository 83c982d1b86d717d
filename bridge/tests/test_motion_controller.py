"""The motion controller: no order of calls leaves the robot moving against a stop."""

import io
from pathlib import Path

import pytest

from bridge.drivers.simulator import Place, Simulator
from bridge.logs import Log
from bridge.messages import waypoint_from
from bridge.motion.motion_controller import PAUSE_COMMAND, HaltedError, MotionController
from bridge.tests.fake_server import waypoint

pytestmark = pytest.mark.anyio

B = waypoint_from(waypoint("B", 3.1))


@pytest.fixture
def robot(tmp_path: Path) -> Simulator:
    return Simulator(Place(waypoint="A"), speed=1000, state_file=tmp_path / "robot.json")


@pytest.fixture
def controller(robot: Simulator) -> MotionController:
    return MotionController(robot, Log(out=io.StringIO()))


async def test_motion_is_refused_before_stop_state_is_known(
    controller: MotionController, robot: Simulator
) -> None:
    with pytest.raises(HaltedError):
        await controller.drive(robot.navigate([B]))
    assert robot.state().waypoint == "A"


async def test_motion_is_refused_while_stopped(
    controller: MotionController, robot: Simulator
) -> None:
    await controller.release_stop()
    await controller.stop()
    with pytest.raises(HaltedError):
        await controller.drive(robot.navigate([B]))
    assert robot.state().waypoint == "A"


async def test_motion_is_allowed_after_release(
    controller: MotionController, robot: Simulator
) -> None:
    await controller.stop()
    await controller.release_stop()
    await controller.drive(robot.navigate([B]))
    assert robot.state().waypoint == "B"


async def test_release_ends_pause_by_command_only(controller: MotionController) -> None:
    await controller.hold(PAUSE_COMMAND)
    await controller.hold("another reason")
    await controller.stop()
    await controller.release_stop()
    assert controller.holds == {"another reason"}
