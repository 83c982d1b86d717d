"""The delivery state machine: every legal transition as data, and the function that applies it.

`TRANSITIONS` maps an action and a state to the next state. `EFFECTS` says what changes with it:
the copy's custody, the request or the return. `apply` performs a transition with its effects,
history row, events and robot command in the caller's transaction. Nothing else changes a task's
status or stage.

The robot leaves the source only by LOAD, which only a person's confirmation causes. Its command
to move is issued in the same transaction, with the loading proof that it requires
(`backend.shared.domain.commands.issue_navigation`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain import commands, task_effects
from backend.shared.domain.custody import CustodyTransition
from backend.shared.domain.task_effects import Effect
from backend.shared.errors import InvalidStateTransition
from backend.shared.infra import clock, ids
from backend.shared.models import (
    ACTIVE_TASK_STATUSES,
    CLOSED_STATUSES,
    DeliveryTask,
    LoadingProof,
    RequestStatus,
    ReturnStatus,
    Stage,
    TaskHistory,
    TaskStatus,
    TaskType,
)

S, G = TaskStatus, Stage
State = tuple[TaskStatus, Stage | None]

PENDING: State = (S.PENDING, None)
QUEUED: State = (S.QUEUED, None)
TO_SOURCE: State = (S.ASSIGNED, G.TO_SOURCE)
LOADING: State = (S.ASSIGNED, G.LOADING)
TO_DESTINATION: State = (S.IN_PROGRESS, G.TO_DESTINATION)
HANDOVER: State = (S.IN_PROGRESS, G.HANDOVER)
BRINGING_BACK: State = (S.IN_PROGRESS, G.BRINGING_BACK)
COMPLETED: State = (S.COMPLETED, None)
FAILED: State = (S.FAILED, None)
CANCELLED: State = (S.CANCELLED, None)


class Action(StrEnum):
    TAKE = "TAKE"  # the dispatcher queues a new task
    ASSIGN = "ASSIGN"  # a robot is assigned
    ARRIVE = "ARRIVE"  # the robot has reached the target of its stage
    LOAD = "LOAD"  # a person confirms that the book is on the robot
    COMPLETE = "COMPLETE"  # the receiver has the book
    RELEASE = "RELEASE"  # the robot is unassigned, the task is queued again
    BRING_BACK = "BRING_BACK"  # cancelled with the book on board
    TAKE_BACK = "TAKE_BACK"  # staff have unloaded the book that was brought back
    CANCEL = "CANCEL"
    FAIL = "FAIL"
    RETRY = "RETRY"


TRANSITIONS: Mapping[Action, Mapping[State, State]] = {
    Action.TAKE: {PENDING: QUEUED},
    Action.ASSIGN: {QUEUED: TO_SOURCE},
    Action.ARRIVE: {
        TO_SOURCE: LOADING,
        TO_DESTINATION: HANDOVER,
        BRINGING_BACK: BRINGING_BACK,
    },
    Action.LOAD: {LOADING: TO_DESTINATION},
    Action.COMPLETE: {HANDOVER: COMPLETED},
    Action.RELEASE: {TO_SOURCE: QUEUED, LOADING: QUEUED},
    Action.BRING_BACK: {TO_DESTINATION: BRINGING_BACK, HANDOVER: BRINGING_BACK},
    Action.TAKE_BACK: {BRINGING_BACK: CANCELLED},
    Action.CANCEL: {
        PENDING: CANCELLED,
        QUEUED: CANCELLED,
        TO_SOURCE: CANCELLED,
        LOADING: CANCELLED,
        FAILED: CANCELLED,
    },
    Action.FAIL: {
        PENDING: FAILED,
        QUEUED: FAILED,
        TO_SOURCE: FAILED,
        LOADING: FAILED,
        TO_DESTINATION: FAILED,
        HANDOVER: FAILED,
        BRINGING_BACK: FAILED,
    },
    Action.RETRY: {FAILED: QUEUED},
}


_DELIVERY = {
    Action.ASSIGN: Effect(request=RequestStatus.APPROVED),
    Action.LOAD: Effect(CustodyTransition.LOAD, RequestStatus.IN_PROGRESS),
    Action.COMPLETE: Effect(CustodyTransition.LEND, RequestStatus.COMPLETED),
    Action.CANCEL: Effect(CustodyTransition.RELEASE, RequestStatus.CANCELLED),
    Action.BRING_BACK: Effect(request=RequestStatus.CANCELLED),
    Action.TAKE_BACK: Effect(CustodyTransition.SHELVE),
    Action.RETRY: Effect(request=RequestStatus.PENDING),
}
_RETURN = {
    Action.ASSIGN: Effect(returned=ReturnStatus.PICKUP_SCHEDULED),
    Action.LOAD: Effect(CustodyTransition.COLLECT, returned=ReturnStatus.PICKED_UP),
    Action.COMPLETE: Effect(CustodyTransition.SHELVE, returned=ReturnStatus.COMPLETED),
    Action.CANCEL: Effect(returned=ReturnStatus.CANCELLED),
    Action.RETRY: Effect(returned=ReturnStatus.PENDING),
}
_STAFF = {
    Action.LOAD: Effect(CustodyTransition.LOAD),
    Action.COMPLETE: Effect(CustodyTransition.KEEP_AT_DESK),
    Action.CANCEL: Effect(CustodyTransition.RELEASE),
    Action.TAKE_BACK: Effect(CustodyTransition.SHELVE),
}
EFFECTS: Mapping[TaskType, Mapping[Action, Effect]] = {
    TaskType.STUDENT_DELIVERY: _DELIVERY,
    TaskType.RETURN_PICKUP: _RETURN,
    TaskType.INTER_STAFF: _STAFF,
    TaskType.WORKSTATION: {**_STAFF, Action.COMPLETE: Effect(CustodyTransition.SHELVE)},
    TaskType.TRANSFER: {**_STAFF, Action.COMPLETE: Effect(CustodyTransition.SHELVE)},
}
EVENTS: Mapping[tuple[Action, Stage | None], type[events.TaskEvent]] = {
    (Action.TAKE, None): events.TaskQueued,
    (Action.ASSIGN, G.TO_SOURCE): events.TaskAssigned,
    (Action.ARRIVE, G.LOADING): events.TaskLoading,
    (Action.ARRIVE, G.HANDOVER): events.TaskArrived,
    (Action.ARRIVE, G.BRINGING_BACK): events.TaskArrived,
    (Action.LOAD, G.TO_DESTINATION): events.TaskDeparted,
    (Action.COMPLETE, None): events.TaskCompleted,
    (Action.RELEASE, None): events.TaskQueued,
    (Action.BRING_BACK, G.BRINGING_BACK): events.TaskBringingBack,
    (Action.TAKE_BACK, None): events.TaskCancelled,
    (Action.CANCEL, None): events.TaskCancelled,
    (Action.FAIL, None): events.TaskFailed,
    (Action.RETRY, None): events.TaskQueued,
}
# A loaded return goes on to the library in any case.
REFUSED: Mapping[TaskType, frozenset[Action]] = {
    TaskType.RETURN_PICKUP: frozenset({Action.BRING_BACK, Action.TAKE_BACK}),
}


@dataclass(frozen=True)
class TransitionContext:
    """Who requests a transition, why, and the arguments of some actions."""

    by: str  # a user's id, or the component that acts
    user_id: UUID | None = None
    reason: str | None = None
    robot_id: UUID | None = None  # of ASSIGN
    book_location: str | None = None  # of FAIL and CANCEL: as staff state it


def state_of(task: DeliveryTask) -> State:
    return task.status, task.stage


def state_name(state: State) -> str:
    """Format a state for messages: `IN_PROGRESS/HANDOVER`."""
    return "/".join(part.value for part in state if part is not None)


def allowed_actions(task: DeliveryTask) -> list[Action]:
    """List the actions that are legal in the task's present state."""
    refused = set(REFUSED.get(task.task_type, frozenset()))
    if task.arrived_at is None:  # a robot that is still driving can't be unloaded
        refused.add(Action.TAKE_BACK)
    return [
        action
        for action, transitions in TRANSITIONS.items()
        if state_of(task) in transitions and action not in refused
    ]


def invalid_transition(task: DeliveryTask, requested: str) -> InvalidStateTransition:
    """Build the error for a transition that is not in the table."""
    return InvalidStateTransition(
        current=state_name(state_of(task)),
        requested=requested,
        allowed=[action.value for action in allowed_actions(task)],
    )


def apply(session: Session, task: DeliveryTask, action: Action, context: TransitionContext) -> None:
    """Apply one transition; the task's row must be locked. InvalidStateTransition if illegal.

    In order: the state, its effects, the history, the robot's command, the events.
    """
    if action not in allowed_actions(task):
        raise invalid_transition(task, action.value)
    before = state_of(task)
    robot_id = task.assigned_robot_id if task.status in ACTIVE_TASK_STATUSES else None
    _set_state(task, action, context)
    session.flush()
    effect = _effect(session, task, action, before, context)
    task_effects.apply_effect(session, task, effect, context.reason)
    _write_history(session, task, action, before, context)
    _update_commands(session, task, action, context, robot_id)
    session.flush()
    task_effects.publish_task_event(session, task, EVENTS[action, task.stage], context.reason)


def _effect(
    session: Session, task: DeliveryTask, action: Action, before: State, context: TransitionContext
) -> Effect:
    if before == FAILED and action is Action.CANCEL:
        return task_effects.effect_of_cancelled_failure(session, task, context.book_location)
    if action is Action.RETRY:
        task_effects.unload_for_retry(session, task)
    return EFFECTS[task.task_type].get(action, Effect())


def _set_state(task: DeliveryTask, action: Action, context: TransitionContext) -> None:
    now = clock.now()
    task.status, task.stage = TRANSITIONS[action][state_of(task)]
    task.stage_since, task.reminders = now, 0
    task.arrived_at = now if action is Action.ARRIVE else None
    if action is Action.ASSIGN:
        task.assigned_robot_id = context.robot_id
        task.started_at = task.started_at or now
    elif action is Action.LOAD:
        task.loaded_at, task.loaded_by = now, context.user_id
    elif action in {Action.RELEASE, Action.RETRY}:
        task.assigned_robot_id, task.eta, task.loaded_at, task.loaded_by = None, None, None, None
        task.attempt += 1
    if action in {Action.FAIL, Action.CANCEL, Action.BRING_BACK}:
        task.failure_reason = context.reason
    elif action is Action.RETRY:
        task.failure_reason, task.book_location = None, None
    if context.book_location is not None:
        task.book_location = context.book_location
    if task.status in CLOSED_STATUSES:
        task.completed_at, task.eta = now, None


def _write_history(
    session: Session, task: DeliveryTask, action: Action, before: State, context: TransitionContext
) -> None:
    session.execute(
        insert(TaskHistory).values(
            id=ids.uuid7(),
            task_id=task.id,
            action=action.value,
            from_status=before[0],
            from_stage=before[1],
            to_status=task.status,
            to_stage=task.stage,
            changed_by=context.by,
            reason=context.reason,
            robot_id=task.assigned_robot_id,
            attempt=task.attempt,
            created_at=clock.now(),
        )
    )


def _update_commands(
    session: Session,
    task: DeliveryTask,
    action: Action,
    context: TransitionContext,
    previous_robot_id: UUID | None,
) -> None:
    """Issue the robot's next command, or release the robot.

    `previous_robot_id` is the robot that served the task before the transition, if one did: a
    FAILED task still names its last robot, which may serve another task by now.
    """
    if action is Action.LOAD:
        commands.issue_navigation(
            session, task, _insert_loading_proof(session, task, context.user_id)
        )
    elif action in {Action.ASSIGN, Action.BRING_BACK}:
        commands.issue_navigation(session, task)
    elif previous_robot_id is not None and task.status not in ACTIVE_TASK_STATUSES:
        commands.release(session, previous_robot_id)


def _insert_loading_proof(session: Session, task: DeliveryTask, by: UUID | None) -> LoadingProof:
    if task.assigned_robot_id is None or by is None:
        raise invalid_transition(task, Action.LOAD.value)
    proof = LoadingProof(
        task_id=task.id,
        robot_id=task.assigned_robot_id,
        copy_id=task.copy_id,
        attempt=task.attempt,
        confirmed_by=by,
    )
    session.add(proof)
    session.flush()
    return proof
