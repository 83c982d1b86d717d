"""The robot service in the model: leases, reports, outcomes, heartbeats, sessions."""

from collections.abc import Iterable

from backend.robot.bridge_protocol import command_reports
from backend.robot.schemas.bridges import ReportType
from backend.shared.domain.transitions import Action
from backend.shared.models import FAILED_COMMAND_STATUSES, CommandStatus, TaskStatus
from tests.workflow import specification
from tests.workflow.model import task
from tests.workflow.model.rules import Guard, Rules
from tests.workflow.model.world import (
    ACTIVE,
    NONE,
    TARGET,
    Command,
    Outcome,
    Report,
    Violation,
    World,
)

_MAX_LEASES = 2  # of a command that the robot does not accept
_NOT_STARTED = frozenset({CommandStatus.LEASED, CommandStatus.ACCEPTED})
_FINISHED = command_reports._FINISHED  # noqa: SLF001  the product's own


def lease(world: World, rules: Rules, robot: int) -> World:
    """Mirror `command_leases.lease_next`."""
    me = world.robots[robot]
    for number, command in enumerate(world.commands):
        is_due = command.robot == robot and command.status is CommandStatus.QUEUED
        if not is_due or not rules.guard(Guard.LEASE_VERSION, command.version == me.version):
            continue
        if me.stopped or command.version != me.version:
            raise Violation("a command from before a stop was sent to the robot")
        if command.was_started:
            raise Violation("a command that was started was sent again")
        world = world.with_command(
            number, status=CommandStatus.LEASED, token=command.token + 1, epoch=me.epoch
        )
        return world.with_robot(robot, holds=number)
    return world


def lease_to_older_session(world: World, rules: Rules, robot: int) -> World:
    """Let a forgotten bridge of an earlier session poll."""
    due = any(c.robot == robot and c.status is CommandStatus.QUEUED for c in world.commands)
    if due and rules.guard(Guard.LEASE_EPOCH, False):  # noqa: FBT003  its epoch is never the newest
        raise Violation("a bridge of an earlier session was sent a command")
    return world


def receive(world: World, rules: Rules, report: Report) -> World:
    """Mirror `command_reports.record_report`; the bridge halts when its lease is lost."""
    command = world.commands[report.command]
    robot = world.robots[command.robot]
    is_newest = report.token == command.token and command.status is not CommandStatus.QUEUED
    accepted = (
        rules.guard(Guard.REPORT_EPOCH, command.epoch == robot.epoch)
        and rules.guard(Guard.REPORT_VERSION, command.version == robot.version)
        and rules.guard(Guard.REPORT_TOKEN, is_newest)
        and rules.guard(Guard.REPORT_NOT_VOID, command.status is not CommandStatus.VOID)
    )
    if accepted != _is_leased(world, report):
        raise Violation("a report is believed that is not of the newest lease")
    if not accepted:
        executes = robot.driving == report.command and report.token == command.token
        if executes and Guard.BRIDGE_LOST_HALTS in rules.off:
            raise Violation("the bridge drives on although its lease is lost")
        return world.with_robot(command.robot, driving=NONE) if executes else world
    if command.status in _FINISHED:
        return world
    may_precede = rules.may_precede.get(report.kind, rules.order)
    follows = rules.guard(Guard.REPORT_ORDER, command.status in may_precede)
    if follows != specification.may_follow(report.kind.value, command.status.value):
        raise Violation(f"{report.kind.value} after {command.status.value}: {follows}")
    return _record(world, rules, report, command) if follows else world


def _is_leased(world: World, report: Report) -> bool:
    """Say as robot-protocol.md §3 does: the latest lease, of this session, since the last stop."""
    command = world.commands[report.command]
    robot = world.robots[command.robot]
    is_latest = report.token == command.token and command.epoch == robot.epoch
    is_void = command.status in {CommandStatus.VOID, CommandStatus.QUEUED}
    return is_latest and command.version == robot.version and not is_void


def _record(world: World, rules: Rules, report: Report, command: Command) -> World:
    number = report.command
    if report.kind in {ReportType.ARRIVED, ReportType.SUCCEEDED}:
        if not rules.guard(Guard.REPORT_NEAR, not report.is_elsewhere):
            return world.with_command(number, status=CommandStatus.UNKNOWN)
        return _finish(world, number, succeeded=True)
    if report.kind is ReportType.FAILED:
        return _finish(world, number, succeeded=False)
    status = command_reports._STATUS_OF[report.kind]  # noqa: SLF001  the product's own table
    if command.status in rules.order and (
        rules.order.index(status) <= rules.order.index(command.status)
    ):
        return world
    was_started = command.was_started or status is CommandStatus.STARTED
    return world.with_command(number, status=status, was_started=was_started)


def _finish(world: World, number: int, *, succeeded: bool) -> World:
    status = CommandStatus.SUCCEEDED if succeeded else CommandStatus.FAILED
    world = world.with_command(number, status=status)
    return world._replace(outcomes=world.outcomes | {Outcome(number, succeeded)})


def handle_outcome(world: World, rules: Rules, outcome: Outcome) -> World:
    """Mirror the inbox, which handles each event once, and `command_outcomes.apply`."""
    handled = world.outcomes - {outcome} | {outcome._replace(is_handled=True)}
    return _apply_outcome(world._replace(outcomes=handled), rules, outcome)


def _apply_outcome(world: World, rules: Rules, outcome: Outcome) -> World:
    command = world.commands[outcome.command]
    if not rules.guard(Guard.EVENT_NEEDS_DRIVE, task.needs_navigation(world, rules)):
        return world
    later = world.commands[outcome.command + 1 :]
    is_newest = command.is_current and not any(each.is_current for each in later)
    if not rules.guard(Guard.EVENT_NEWEST, is_newest):
        return world
    if outcome.succeeded:
        return task.apply(world, rules, Action.ARRIVE)
    failures = sum(c.is_current and c.status in FAILED_COMMAND_STATUSES for c in world.commands)
    if failures < task.LIMIT:
        return _try_again(world, rules, outcome.command) if world.robot != NONE else world
    if world.state[0] is TaskStatus.IN_PROGRESS:
        return world._replace(needs_staff=True)
    is_last = world.attempt >= task.LIMIT
    return task.apply(world, rules, Action.FAIL if is_last else Action.RELEASE)


def _try_again(world: World, rules: Rules, failed: int) -> World:
    """Mirror `command_outcomes._try_again`."""
    issued = task.issue_navigation(world, rules)
    is_issued = len(issued.commands) > len(world.commands)
    if is_issued or Guard.DUE_AGAIN in rules.off:
        return issued
    return issued.with_command(failed, is_due_again=True)


def heartbeat(world: World, rules: Rules, robot: int) -> World:
    """Mirror `heartbeats`: the robot is online, an UNKNOWN command is decided."""
    me = world.robots[robot]
    world = world.with_robot(robot, online=True)
    for number, command in enumerate(world.commands):
        if command.robot != robot or command.status is not CommandStatus.UNKNOWN:
            continue
        if me.driving == number:
            return world.with_command(
                number, status=CommandStatus.STARTED, was_started=True, epoch=me.epoch
            )
        if Guard.HEARTBEAT_DECIDES in rules.off:
            return world
        if rules.guard(Guard.HEARTBEAT_NEAR, me.place == TARGET[command.leg]):
            return _finish(world, number, succeeded=True)
        world = world.with_command(number, status=CommandStatus.VOID)
        is_own = world.robot == robot and task.needs_navigation(world, rules)
        return task.issue_navigation(world, rules) if is_own else world
    if world.robot != robot or Guard.ISSUE_ON_RETURN in rules.off:
        return world
    return task.issue_pending(world, rules)


def expire_leases(world: World, rules: Rules, commands: Iterable[int]) -> World:
    """Mirror `command_leases.expire_leases` for these commands."""
    for number in commands:
        command = world.commands[number]
        if command.status in _NOT_STARTED and command.token >= _MAX_LEASES:
            world = _finish(world, number, succeeded=False)
    return _take_from_bridges(world, rules, commands)


def open_session(world: World, rules: Rules, robot: int) -> World:
    """Mirror `bridge_sessions.open_session` after the bridge has ended; the robot stands."""
    world = world.with_robot(robot, epoch=world.robots[robot].epoch + 1, driving=NONE, holds=NONE)
    if Guard.RESTART_REQUEUES in rules.off:
        return world
    own = [number for number, command in enumerate(world.commands) if command.robot == robot]
    return _take_from_bridges(world, rules, own)


def _take_from_bridges(world: World, rules: Rules, commands: Iterable[int]) -> World:
    sends_again = Guard.STARTED_IS_UNKNOWN in rules.off
    for number in commands:
        command = world.commands[number]
        started = command.status is CommandStatus.STARTED
        if command.status in _NOT_STARTED or (started and sends_again):
            world = world.with_command(number, status=CommandStatus.QUEUED)
        elif started:
            world = world.with_command(number, status=CommandStatus.UNKNOWN)
    return world


def follow_latch(world: World, robot: int) -> World:
    """Mirror `stop_effects.follow_latches`: commands from before a stop are void."""
    version = world.robots[robot].version
    return world._replace(
        commands=tuple(
            command._replace(status=CommandStatus.VOID)
            if command.robot == robot and command.status in ACTIVE and command.version != version
            else command
            for command in world.commands
        )
    )


def lose(world: World, rules: Rules, robot: int) -> World:
    """Mirror `connectivity.set_connectivity(OFFLINE)`."""
    world = world.with_robot(robot, online=False)
    is_waiting = world.robot == robot and world.state[0] is TaskStatus.ASSIGNED
    if is_waiting and Guard.RELEASE_OFFLINE not in rules.off:
        return task.apply(world, rules, Action.RELEASE)
    return world
