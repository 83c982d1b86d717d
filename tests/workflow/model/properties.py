"""Properties of every state of the model, after workflow.md §2."""

from backend.shared.domain import invariants
from backend.shared.models import CommandStatus, Custody, Leg, Stage, TaskStatus
from tests.workflow import specification
from tests.workflow.model import task
from tests.workflow.model.rules import Rules
from tests.workflow.model.world import ACTIVE, NONE, STATION, Violation, World

MAX_COMMANDS = 6  # with two disturbances; 4 are reached


def check(world: World, rules: Rules) -> None:
    """Raise Violation when a property does not hold."""
    _check_table(world, rules)
    _check_agreement(world)
    _check_loan(world)
    _check_commands(world)
    _check_book(world)
    _check_robot(world)
    _check_motion(world)


def _require(holds: bool, text: str) -> None:  # noqa: FBT001  the condition required
    if not holds:
        raise Violation(text)


def _check_table(world: World, rules: Rules) -> None:
    """Compare the allowed actions and their ends with the specification, written by hand."""
    state = _name(world.state)
    expected = specification.legal_transitions(world.kind.value, state)
    actual = {
        action.value: _name(rules.transitions[action][world.state])
        for action in task.allowed(world, rules)
    }
    if state == specification.BRINGING_BACK and not world.has_arrived:
        expected = {name: end for name, end in expected.items() if name != "TAKE_BACK"}
    _require(actual == expected, f"the actions allowed in {state} are not those specified")


def _name(state: tuple[TaskStatus, Stage | None]) -> str:
    return "/".join(part.value for part in state if part is not None)


def _check_agreement(world: World) -> None:
    """Task, request or return, and copy agree (invariant 4)."""
    status, stage = world.state
    table = invariants._AGREEMENT[world.kind.value]  # noqa: SLF001  the product's own table
    causes, custodies = table[status.value, stage.value if stage else None]
    if world.cause and causes:
        _require(world.cause in causes.split(), f"{status}/{stage} with a cause {world.cause}")
    if custodies:
        _require(world.custody.value in custodies.split(), f"{status}/{stage} with {world.custody}")


def _check_loan(world: World) -> None:
    """A copy is ON_LOAN exactly when it has an open loan (invariant 5)."""
    _require((world.custody is Custody.ON_LOAN) == world.has_loan, "custody and loan do not agree")


def _check_commands(world: World) -> None:
    """Invariants 2, 3 and 7, and the order of a command's states."""
    _require(len(world.commands) <= MAX_COMMANDS, "a task is given commands without end")
    active = [command for command in world.commands if command.status in ACTIVE]
    for number in (0, 1):
        own = [command for command in active if command.robot == number]
        _require(len(own) <= 1, "a robot has two active commands")
        of_other = number != world.robot and any(
            command.version == world.robots[number].version for command in own
        )
        _require(not of_other, "a robot without the task has an active command")
    at_station = world.state[1] in STATION or (world.has_arrived and bool(active))
    _require(not (at_station and active), "a robot that waits for a person has a command to move")
    for command in world.commands:
        _require(
            command.status is not CommandStatus.SUCCEEDED or command.was_started,
            "a command succeeded that was never started",
        )


def _check_book(world: World) -> None:
    """The book is where the task says; a loaded robot has its proof (invariant 3)."""
    carried = world.state[0] is TaskStatus.IN_PROGRESS
    if carried:
        _require((world.robot, world.attempt) in world.proofs, "a loaded robot has no proof")
        _require(world.book == str(world.robot), "the book is not on the task's robot")
    elif world.state[0] not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
        _require(world.book not in {"0", "1"}, "a robot carries a book of no task")
    station = STATION.get(world.state[1]) if world.state[1] else None
    if station is not None:
        robot = world.robots[world.robot]
        _require(robot.place == station, f"{world.state[1]}, but the robot is not there")


def _check_robot(world: World) -> None:
    """A robot that is lost before loading has lost its task (workflow.md §4)."""
    if world.state[0] is TaskStatus.ASSIGNED:
        _require(world.robots[world.robot].online, "a task waits for an offline robot")


def _check_motion(world: World) -> None:
    """A robot that moves has what its leg requires."""
    for number, robot in enumerate(world.robots):
        if robot.driving == NONE:
            continue
        command = world.commands[robot.driving]
        _require(not robot.stopped, "a stopped robot moves")
        on_board = world.book == str(number)
        leaves_with_book = command.leg is not Leg.TO_SOURCE
        in_force = command.status in ACTIVE and world.robot == number
        if leaves_with_book and in_force:
            _require(on_board, "a robot leaves the source without the book")
        _require(
            leaves_with_book or not on_board, "a robot leaves with a book without confirmation"
        )
