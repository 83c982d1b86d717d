"""The state of the model: the server's rows, and what is physically true."""

from typing import NamedTuple

from backend.robot.schemas.bridges import ReportType
from backend.shared.domain import transitions
from backend.shared.domain.transitions import State
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    CommandStatus,
    Custody,
    Leg,
    Stage,
    TaskType,
)

NONE = -1
ACTIVE = frozenset(ACTIVE_COMMAND_STATUSES)
SOURCE, DESTINATION, BACK, UNDERWAY = "source", "destination", "back", "under way"
TARGET = {
    Leg.TO_SOURCE: SOURCE,
    Leg.TO_DESTINATION: DESTINATION,
    Leg.BRINGING_BACK: BACK,
}
STATION = {Stage.LOADING: SOURCE, Stage.HANDOVER: DESTINATION}


class Violation(Exception):
    """A property of workflow.md does not hold; the text names it."""


class Command(NamedTuple):
    robot: int
    leg: Leg
    version: int  # the robot's stop version at its creation
    status: CommandStatus = CommandStatus.QUEUED
    token: int = 0
    epoch: int = 0
    is_current: bool = True  # of the task's present stage and robot
    was_started: bool = False
    is_due_again: bool = False


class Robot(NamedTuple):
    online: bool = True
    stopped: bool = False
    version: int = 0
    epoch: int = 1
    place: str = UNDERWAY
    driving: int = NONE  # the command that it physically carries out
    holds: int = NONE  # the command that its bridge has leased


class Report(NamedTuple):
    command: int
    token: int
    kind: ReportType
    is_elsewhere: bool = False


class Outcome(NamedTuple):
    """An event about the end of a command."""

    command: int
    succeeded: bool
    is_handled: bool = False


class World(NamedTuple):
    kind: TaskType
    state: State
    cause: str  # status of the request or return; empty for a staff delivery
    custody: Custody
    has_loan: bool
    robot: int = NONE
    attempt: int = 1
    has_arrived: bool = False
    proofs: frozenset[tuple[int, int]] = frozenset()  # robot, attempt
    robots: tuple[Robot, Robot] = (Robot(), Robot())
    commands: tuple[Command, ...] = ()
    reports: frozenset[Report] = frozenset()  # sent: each arrives late, again, or never
    outcomes: frozenset[Outcome] = frozenset()  # handled late, or again, but at least once
    book: str = SOURCE  # where it physically is; robots are "0" and "1"
    needs_staff: bool = False  # staff were alerted: the next step is theirs
    disturbances: int = 0  # that may still happen

    def with_robot(self, number: int, **changes: object) -> "World":
        robots = list(self.robots)
        robots[number] = robots[number]._replace(**changes)  # type: ignore[arg-type]  # its fields
        return self._replace(robots=(robots[0], robots[1]))

    def with_command(self, number: int, **changes: object) -> "World":
        commands = list(self.commands)
        commands[number] = commands[number]._replace(**changes)  # type: ignore[arg-type]  # likewise
        return self._replace(commands=tuple(commands))


def start(kind: TaskType, disturbances: int) -> World:
    """Return the world after the request, return or staff delivery was created."""
    is_return = kind is TaskType.RETURN_PICKUP
    has_cause = is_return or kind is TaskType.STUDENT_DELIVERY
    return World(
        kind=kind,
        state=transitions.PENDING,
        cause="PENDING" if has_cause else "",
        custody=Custody.ON_LOAN if is_return else Custody.RESERVED,
        has_loan=is_return,
        disturbances=disturbances,
    )
