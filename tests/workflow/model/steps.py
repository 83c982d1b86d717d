"""What may happen next: the system, the robots, people, and disturbances."""

from collections.abc import Iterator
from itertools import chain

from backend.robot.schemas.bridges import ReportType
from backend.shared.domain.circulation.custody import CustodyTransition
from backend.shared.domain.transitions import Action
from backend.shared.models import CommandStatus, Custody, RequestStatus, TaskType
from tests.workflow.model import server, task
from tests.workflow.model.rules import Guard, Rules
from tests.workflow.model.world import (
    ACTIVE,
    BACK,
    DESTINATION,
    NONE,
    SOURCE,
    TARGET,
    UNDERWAY,
    Report,
    Violation,
    World,
)

Step = tuple[str, World]
REPEATED = "deliver outcome again"  # it may happen, and nothing may depend on it
_ENDS = (ReportType.ARRIVED, ReportType.FAILED)


def steps(world: World, rules: Rules) -> Iterator[Step]:
    """Yield each step by name with the world after it; disturbances use up their number."""
    yield from chain(_system(world, rules), _people(world, rules))
    for robot in (0, 1):
        yield from _robot(world, rules, robot)
    if world.disturbances > 0:
        poorer = world._replace(disturbances=world.disturbances - 1)
        yield from _disturbances_of_people(poorer, rules)
        for robot in (0, 1):
            yield from _disturbances_of_robot(poorer, rules, robot)


def _system(world: World, rules: Rules) -> Iterator[Step]:
    allowed = task.allowed(world, rules)
    if Action.TAKE in allowed:
        yield "queue", task.apply(world, rules, Action.TAKE)
    if Action.ASSIGN in allowed:
        yield from _assign(world, rules)
    forgotten = [number for number in range(len(world.commands)) if _is_forgotten(world, number)]
    yield "expire leases that nobody renews", server.expire_leases(world, rules, forgotten)
    for report in world.reports:
        yield f"deliver {report.kind.value}", server.receive(world, rules, report)
        if report.kind is ReportType.ARRIVED:  # the bridge sends both
            succeeded = report._replace(kind=ReportType.SUCCEEDED)
            yield "deliver SUCCEEDED", server.receive(world, rules, succeeded)
    for outcome in world.outcomes:
        name = REPEATED if outcome.is_handled else "deliver outcome"
        yield name, server.handle_outcome(world, rules, outcome)
    if world.robot != NONE and Guard.ISSUE_ON_RETURN not in rules.off:
        yield "issue pending", task.issue_pending(world, rules)


def _assign(world: World, rules: Rules) -> Iterator[Step]:
    """Mirror the dispatcher: any fit robot may be the nearest."""
    for number, robot in enumerate(world.robots):
        busy = any(c.robot == number and c.status in ACTIVE for c in world.commands)
        fit = robot.online and not robot.stopped and not busy
        if not rules.guard(Guard.ASSIGN_FIT, fit):
            continue
        if not fit:
            raise Violation("a robot that is stopped, offline or busy was assigned")
        yield "assign", task.apply(world, rules, Action.ASSIGN, number)


def _is_forgotten(world: World, number: int) -> bool:
    """Return whether the bridge neither executes the command nor has its end to report."""
    command = world.commands[number]
    robot = world.robots[command.robot]
    has_end = any(
        report.command == number and report.token == command.token and report.kind in _ENDS
        for report in world.reports
    )
    return number not in {robot.driving, robot.holds} and not has_end


def _robot(world: World, rules: Rules, number: int) -> Iterator[Step]:
    robot = world.robots[number]
    if robot.online:
        yield "poll", server.lease(world, rules, number)
        yield "poll of an earlier session", server.lease_to_older_session(world, rules, number)
    yield "heartbeat", server.heartbeat(world, rules, number)
    yield "follow latch", server.follow_latch(world, number)
    if robot.stopped:
        resumed = world.with_robot(number, stopped=False, version=robot.version + 1)
        yield "resume", server.follow_latch(resumed, number)
    if robot.holds != NONE and not robot.stopped:
        yield "begin", _begin(world, rules, number)
    if robot.driving != NONE:
        command = world.commands[robot.driving]
        progress = Report(robot.driving, command.token, ReportType.PROGRESS)
        yield "deliver PROGRESS", server.receive(world, rules, progress)
        if command.status is CommandStatus.VOID:
            yield "told that it is void", world.with_robot(number, driving=NONE)
        arrived = world.with_robot(number, driving=NONE, place=TARGET[command.leg])
        yield "reach the target", _send(arrived, robot.driving, ReportType.ARRIVED)


def _begin(world: World, rules: Rules, number: int) -> World:
    """Let the bridge carry out what it holds; a finished command is reported again."""
    held = world.robots[number].holds
    world = world.with_robot(number, holds=NONE)
    ends = [r for r in world.reports if r.command == held and r.kind in _ENDS]
    if ends and Guard.BRIDGE_ONCE not in rules.off:
        world = _send_start(world, held)
        return _send(world, held, ends[0].kind, is_elsewhere=ends[0].is_elsewhere)
    if ends:
        raise Violation("a finished command was driven again")
    command = world.commands[held]
    if command.version != world.robots[number].version:
        raise Violation("a command from before a stop was carried out after it")
    world = world.with_robot(number, driving=held, place=UNDERWAY)
    return _send_start(world, held)


def _send_start(world: World, command: int) -> World:
    return _send(_send(world, command, ReportType.ACCEPTED), command, ReportType.STARTED)


def _send(world: World, command: int, kind: ReportType, *, is_elsewhere: bool = False) -> World:
    report = Report(command, world.commands[command].token, kind, is_elsewhere)
    return world._replace(reports=world.reports | {report})


def _people(world: World, rules: Rules) -> Iterator[Step]:
    allowed = task.allowed(world, rules)
    for number, robot in enumerate(world.robots):
        loadable = robot.place == SOURCE and world.book == SOURCE and robot.driving == NONE
        if loadable and Action.LOAD in allowed:
            yield "confirm the loading", _load(world, rules, number)
    if Action.COMPLETE in allowed:
        _ensure_present(world, DESTINATION)
        received = task.apply(world, rules, Action.COMPLETE)
        yield "receive the book", received._replace(book=DESTINATION)
    if Action.TAKE_BACK in allowed:
        _ensure_present(world, BACK)
        yield (
            "take the book back",
            task.take_off(task.apply(world, rules, Action.TAKE_BACK), Action.TAKE_BACK),
        )


def _load(world: World, rules: Rules, robot: int) -> World:
    """Put the book on this robot and name it; if that is refused, take it off again."""
    if not rules.guard(Guard.NAMED_ROBOT, robot == world.robot):
        return world
    return task.apply(world, rules, Action.LOAD)._replace(book=str(robot))


def _ensure_present(world: World, place: str) -> None:
    robot = world.robots[world.robot]
    if robot.place != place or world.book != str(world.robot):
        raise Violation(f"a person is asked to unload a robot that is not at {place} with the book")


def _disturbances_of_people(world: World, rules: Rules) -> Iterator[Step]:
    allowed = task.allowed(world, rules)
    if Action.BRING_BACK in allowed:
        yield "cancel with the book on board", task.apply(world, rules, Action.BRING_BACK)
    elif Action.CANCEL in allowed:
        yield "cancel", task.take_off(task.apply(world, rules, Action.CANCEL), Action.RELEASE)
    if Action.FAIL in allowed:
        failed = task.apply(world, rules, Action.FAIL)
        on_board = world.book in {"0", "1"}
        yield "fail", task.take_off(failed, Action.FAIL) if on_board else failed
    if Action.RELEASE in allowed:
        yield "reassign", task.apply(world, rules, Action.RELEASE)
    is_lost_return = world.kind is TaskType.RETURN_PICKUP and world.book == BACK
    is_open = world.cause != RequestStatus.CANCELLED.value
    if Action.RETRY in allowed and not is_lost_return and rules.guard(Guard.RETRY_OPEN, is_open):
        yield "retry", _retry(world, rules)


def _retry(world: World, rules: Rules) -> World:
    """Mirror `tasks.retry` with `task_effects.unload_for_retry`."""
    if world.custody is Custody.ON_ROBOT:
        world = task.move_copy(world, rules, CustodyTransition.UNLOAD)
    return task.take_off(task.apply(world, rules, Action.RETRY), Action.RETRY)


def _disturbances_of_robot(world: World, rules: Rules, number: int) -> Iterator[Step]:
    robot = world.robots[number]
    if not robot.stopped:
        stopped = world.with_robot(number, stopped=True, version=robot.version + 1, driving=NONE)
        drops = Guard.BRIDGE_STOP_VOIDS not in rules.off
        yield "stop", stopped.with_robot(number, holds=NONE) if drops else stopped
    if robot.online:
        yield "lose the robot", server.lose(world, rules, number)
    yield "restart the bridge", server.open_session(world, rules, number)
    if number == 0:
        yield "expire all leases", server.expire_leases(world, rules, range(len(world.commands)))
    if robot.driving != NONE:
        failed = world.with_robot(number, driving=NONE)
        yield "fail the drive", _send(failed, robot.driving, ReportType.FAILED)
        yield (
            "arrive elsewhere",
            _send(failed, robot.driving, ReportType.ARRIVED, is_elsewhere=True),
        )
