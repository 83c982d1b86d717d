"""The guards that the model restates agree with the product's own functions."""

from datetime import UTC, datetime

import pytest

from backend.robot.bridge_protocol import command_reports
from backend.robot.schemas.bridges import ReportType
from backend.shared.domain import commands, workflow
from backend.shared.domain.transitions import TRANSITIONS, State
from backend.shared.errors import Conflict
from backend.shared.models import (
    CommandStatus,
    CommandType,
    DeliveryTask,
    RobotCommand,
    TaskType,
)
from tests.workflow.model import server, task, world
from tests.workflow.model.rules import Rules
from tests.workflow.model.world import Report, World

pytestmark = pytest.mark.unit
STATES = sorted({state for steps in TRANSITIONS.values() for state in steps}, key=str)
KINDS = (TaskType.STUDENT_DELIVERY, TaskType.RETURN_PICKUP, TaskType.TRANSFER)
_DECIDED = command_reports._FINISHED | {CommandStatus.VOID}  # noqa: SLF001 (the product's own)


def _world(kind: TaskType, state: State, *, has_arrived: bool) -> World:
    return world.start(kind, 0)._replace(state=state, has_arrived=has_arrived, robot=0)


def _task(kind: TaskType, state: State, *, has_arrived: bool) -> DeliveryTask:
    arrived = datetime(2026, 3, 2, 9, 0, tzinfo=UTC) if has_arrived else None
    return DeliveryTask(task_type=kind, status=state[0], stage=state[1], arrived_at=arrived)


@pytest.mark.parametrize("has_arrived", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES, ids=workflow.state_name)
def test_same_actions_are_allowed_and_the_same_stages_drive(
    state: State,
    kind: TaskType,
    has_arrived: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    modelled = _world(kind, state, has_arrived=has_arrived)
    real = _task(kind, state, has_arrived=has_arrived)
    assert task.allowed(modelled, Rules()) == frozenset(workflow.allowed_actions(real))
    assert task.needs_navigation(modelled, Rules()) == commands.needs_navigation(real)


@pytest.mark.parametrize("report", [ReportType.STARTED, ReportType.PROGRESS, ReportType.ARRIVED])
@pytest.mark.parametrize("status", sorted(set(CommandStatus) - _DECIDED))
def test_same_reports_may_follow(status: CommandStatus, report: ReportType) -> None:
    real = RobotCommand(type=CommandType.NAVIGATE, status=status)
    try:
        command_reports._ensure_in_order(real, report)  # noqa: SLF001 (the product's own)
        follows = True
    except Conflict:
        follows = False
    assert follows == (status in Rules().may_precede[report])
    if status is CommandStatus.QUEUED:
        return
    command = world.Command(0, commands._LEG_OF_STAGE[STAGE], 0, status, epoch=1)  # noqa: SLF001 (the product's own)
    before = world.start(TaskType.STUDENT_DELIVERY, 0)._replace(commands=(command,))
    after = server.receive(before, Rules(), Report(0, 0, report))
    assert follows or after == before


STAGE = next(iter(commands._LEG_OF_STAGE))  # noqa: SLF001 (the product's own table)
