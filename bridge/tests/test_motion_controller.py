"""The helm alone: no order of calls leaves the robot moving against a stop."""

import io
from pathlib import Path

import pytest

from bridge.drivers.simulator import Place, Simulator
from bridge.logs import Log
from bridge.messages import waypoint_from
from bridge.motion.motion_controller import TOLD_TO_PAUSE, HaltedError, MotionController
from bridge.tests.fake_server import waypoint

pytestmark = pytest.mark.anyio

B = waypoint_from(waypoint("B", 3.1))


@pytest.fixture
def robot(tmp_path: Path) -> Simulator:
    return Simulator(Place(waypoint="A"), speed=1000, state_file=tmp_path / "robot.json")


@pytest.fixture
def helm(robot: Simulator) -> MotionController:
    return MotionController(robot, Log(out=io.StringIO()))


async def test_nothing_moves_before_luna_has_said_that_it_may(
    helm: MotionController, robot: Simulator
) -> None:
    with pytest.raises(HaltedError):
        await helm.drive(robot.navigate([B]))
    assert robot.state().waypoint == "A"


async def test_nothing_moves_while_stopped(helm: MotionController, robot: Simulator) -> None:
    await helm.release_stop()
    await helm.stop()
    with pytest.raises(HaltedError):
        await helm.drive(robot.navigate([B]))
    assert robot.state().waypoint == "A"


async def test_after_the_release_it_drives(helm: MotionController, robot: Simulator) -> None:
    await helm.stop()
    await helm.release_stop()
    await helm.drive(robot.navigate([B]))
    assert robot.state().waypoint == "B"


async def test_a_release_voids_the_pause_that_was_told_before(helm: MotionController) -> None:
    await helm.hold(TOLD_TO_PAUSE)
    await helm.hold("another reason")
    await helm.stop()
    await helm.release_stop()
    assert helm.holds == {"another reason"}
