"""The task in the model: transitions with their effects, and the commands that follow."""

from backend.shared.domain.circulation.custody import CustodyTransition
from backend.shared.domain.task_effects import Effect
from backend.shared.domain.transitions import FAILED, Action
from backend.shared.models import (
    ACTIVE_TASK_STATUSES,
    CommandStatus,
    Custody,
    Leg,
    RequestStatus,
    ReturnStatus,
    TaskType,
)
from tests.workflow import specification
from tests.workflow.model.rules import Guard, Rules
from tests.workflow.model.world import ACTIVE, BACK, NONE, SOURCE, Command, Violation, World

LIMIT = 2  # failed drives of a stage, and attempts, before the task is given up


def allowed(world: World, rules: Rules) -> frozenset[Action]:
    """Mirror `workflow.allowed_actions`."""
    refused = set(rules.refused.get(world.kind, frozenset()))
    if not rules.guard(Guard.UNLOADED_AFTER_ARRIVAL, world.has_arrived):
        refused.add(Action.TAKE_BACK)
    return frozenset(
        action
        for action, steps in rules.transitions.items()
        if world.state in steps and action not in refused
    )


def apply(world: World, rules: Rules, action: Action, robot: int = NONE) -> World:
    """Mirror `workflow.apply`; an action that is not allowed changes nothing."""
    if action not in allowed(world, rules):
        return world
    began, before, served_by = world, world.state, world.robot
    was_active = world.state[0] in ACTIVE_TASK_STATUSES
    world = _set_state(world, rules, action, robot)
    world = _apply_effect(world, rules, _effect(world, rules, action, before))
    if before != FAILED or action is not Action.CANCEL:  # there it depends on where the book is
        _check_effect(began, world, action)
    if action is Action.LOAD:
        world = world._replace(proofs=world.proofs | {(world.robot, world.attempt)})
    if action in {Action.LOAD, Action.ASSIGN, Action.BRING_BACK}:
        return issue_navigation(world, rules)
    if was_active and served_by != NONE and world.state[0] not in ACTIVE_TASK_STATUSES:
        return _void(world, served_by) if Guard.VOID_ON_RELEASE not in rules.off else world
    return world


def _set_state(world: World, rules: Rules, action: Action, robot: int) -> World:
    stale = tuple(command._replace(is_current=False) for command in world.commands)
    world = world._replace(
        state=rules.transitions[action][world.state],
        commands=stale,
        has_arrived=action is Action.ARRIVE,
        needs_staff=False,
    )
    if action is Action.ASSIGN:
        return world._replace(robot=robot)
    if action in {Action.RELEASE, Action.RETRY}:
        return world._replace(robot=NONE, attempt=world.attempt + 1)
    return world


def _check_effect(before: World, after: World, action: Action) -> None:
    """Compare what changed with the specification, written by hand."""
    state = "/".join(part.value for part in after.state if part is not None)
    expected = specification.expected_effects(before.kind.value, action.value, state)
    if after.custody != (expected.custody or before.custody):
        raise Violation(f"{action.value} leaves the copy {after.custody.value}")
    if before.cause and after.cause != (expected.request_status or before.cause):
        raise Violation(f"{action.value} leaves the request or return {after.cause}")


def _effect(world: World, rules: Rules, action: Action, before: object) -> Effect:
    if before == FAILED and action is Action.CANCEL:
        return _effect_of_cancelled_failure(world)
    return rules.effects[world.kind].get(action, Effect())


def _effect_of_cancelled_failure(world: World) -> Effect:
    """Mirror `task_effects.effect_of_cancelled_failure` for a book that was found."""
    if world.kind is not TaskType.RETURN_PICKUP:
        return Effect(CustodyTransition.RELEASE, request=RequestStatus.CANCELLED)
    if world.custody is Custody.ON_ROBOT:
        return Effect(CustodyTransition.SHELVE, returned=ReturnStatus.COMPLETED)
    return Effect(returned=ReturnStatus.CANCELLED)


def _apply_effect(world: World, rules: Rules, effect: Effect) -> World:
    status = effect.request or effect.returned
    if status is not None and world.cause:
        world = world._replace(cause=status.value)
    return world if effect.custody is None else move_copy(world, rules, effect.custody)


def move_copy(world: World, rules: Rules, step: CustodyTransition) -> World:
    """Mirror `custody.move`, `lend`, `collect` and `receive`."""
    origins, end = rules.custody[step]
    if world.custody not in origins:
        raise Violation(f"{step} is refused for a copy that is {world.custody}")
    has_loan = world.has_loan
    if step is CustodyTransition.LEND:
        has_loan = True
    elif step is CustodyTransition.COLLECT:
        has_loan = False
    return world._replace(custody=end, has_loan=has_loan)


def needs_navigation(world: World, rules: Rules) -> bool:
    return world.state[1] in rules.legs and not world.has_arrived


def issue_navigation(world: World, rules: Rules) -> World:
    """Mirror `commands.issue_navigation`."""
    number, stage = world.robot, world.state[1]
    if Guard.VOID_BEFORE_ISSUE not in rules.off:
        world = _void(world, number)
    robot = world.robots[number]
    if not rules.guard(Guard.CREATE_NOT_STOPPED, not robot.stopped):
        return world
    if not rules.guard(Guard.CREATE_ONLINE, robot.online) or stage is None:
        return world
    if stage not in rules.legs:
        return world
    leg, proven = rules.legs[stage], (number, world.attempt) in world.proofs
    if not rules.guard(Guard.LOADING_PROOF, proven or leg is Leg.TO_SOURCE):
        return world
    if robot.stopped or not robot.online:
        raise Violation("a stopped or offline robot was given a command to move")
    return world._replace(commands=(*world.commands, Command(number, leg, robot.version)))


def issue_pending(world: World, rules: Rules) -> World:
    """Mirror `commands.issue_pending`."""
    if world.robot == NONE or not needs_navigation(world, rules):
        return world
    robot = world.robots[world.robot]
    if robot.stopped or not robot.online:
        return world
    own = [command for command in world.commands if command.robot == world.robot]
    if not rules.guard(
        Guard.PENDING_HAS_NONE, not any(command.status in ACTIVE for command in own)
    ):
        return world
    of_stage = [command for command in own if command.is_current]
    last = of_stage[-1] if of_stage else None
    is_open = last is None or last.status is CommandStatus.VOID or last.is_due_again
    return issue_navigation(world, rules) if rules.guard(Guard.ONE_OUTCOME, is_open) else world


def _void(world: World, robot: int) -> World:
    return world._replace(
        commands=tuple(
            command._replace(status=CommandStatus.VOID)
            if command.robot == robot and command.status in ACTIVE
            else command
            for command in world.commands
        )
    )


def take_off(world: World, action: Action) -> World:
    """Put the book where staff carry it when they end an attempt."""
    at_source = action in {Action.RETRY, Action.RELEASE}
    return world._replace(book=SOURCE if at_source else BACK)
