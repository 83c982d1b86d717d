"""Fixtures of the feature examples: a scenario, and a check of all invariants after each one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.factories.simulated_robot import SimulatedRobot
from tests.scenario import Scenario, check_invariants, start_scenario


@pytest.fixture
def scenario(api: Any, owner: Engine, tmp_path: Path) -> Iterator[Scenario]:
    """One copy, one student, one librarian, and a simulated robot at its dock."""
    made = start_scenario(api)
    known = made.robot
    robot = SimulatedRobot(
        api, known.id, known.key, known.epoch, known.seq, state_file=tmp_path / "robot.json"
    )
    made.robots[0] = robot
    yield made
    check_invariants(owner)
    robot.close()
