"""The delivery state machine: the function that applies a transition.

`backend.shared.domain.transitions` holds the table. `apply` performs a transition with its
effects, history row, events and robot command in the caller's transaction; `take_all` queues many
new tasks. Nothing else changes a task's status or stage.

The robot leaves the source only by LOAD, which only a person's confirmation causes. Its command
to move is issued in the same transaction, with the loading proof that it requires
(`backend.shared.domain.commands.issue_navigation`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.shared.domain import commands, eta, route_graph, task_effects
from backend.shared.domain.task_effects import Effect
from backend.shared.domain.transitions import (
    EFFECTS,
    EVENTS,
    FAILED,
    REFUSED,
    TRANSITIONS,
    Action,
    State,
)
from backend.shared.errors import InvalidStateTransition
from backend.shared.events import TaskQueued
from backend.shared.infra import clock, ids
from backend.shared.infra.database import Prepared
from backend.shared.messaging import outbox
from backend.shared.models import (
    ACTIVE_TASK_STATUSES,
    CLOSED_STATUSES,
    DeliveryTask,
    EtaReason,
    LoadingProof,
    Robot,
    Stage,
    TaskHistory,
    WaitingReason,
    WaypointKind,
)

# TAKE for many tasks at once, with their history and what their events say.
_TAKE = Prepared(
    "take_tasks",
    """
    WITH new AS (
        SELECT t.id, given.entry_id, given.reason FROM delivery_tasks AS t
            JOIN unnest(CAST(:ids AS uuid[]), CAST(:entry_ids AS uuid[]), CAST(:reasons AS text[]))
                AS given (id, entry_id, reason) ON given.id = t.id
        WHERE t.status = 'PENDING' ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
    ), taken AS (
        UPDATE delivery_tasks AS t
        SET status = 'QUEUED', stage_since = :now, reminders = 0, extensions = 0,
            waiting_reason = new.reason, arrived_at = NULL, version = t.version + 1
        FROM new WHERE t.id = new.id RETURNING t.*, new.entry_id
    ), entries AS (
        INSERT INTO task_status_history (id, task_id, action, from_status, to_status, changed_by,
            robot_id, attempt, created_at)
        SELECT entry_id, id, 'TAKE', 'PENDING', status, :by, assigned_robot_id, attempt, :now
        FROM taken
    )
    SELECT t.id AS task_id, t.reference, t.task_type, t.status, t.stage, t.priority, t.attempt,
        t.request_id, t.return_id, coalesce(request.user_id, returned.user_id) AS user_id,
        t.book_id, b.title AS book_title, t.copy_id, t.assigned_robot_id AS robot_id,
        robot.robot_name, t.source_location AS source, t.destination_location AS destination,
        t.eta, NULL AS reason, t.claimed_by
    FROM taken AS t JOIN books AS b ON b.id = t.book_id
        LEFT JOIN robots AS robot ON robot.id = t.assigned_robot_id
        LEFT JOIN book_requests AS request ON request.id = t.request_id
        LEFT JOIN book_returns AS returned ON returned.id = t.return_id
    ORDER BY t.id
    """,
)


@dataclass(frozen=True)
class TransitionContext:
    """Who requests a transition, why, and the arguments of some actions."""

    by: str  # a user's id, or the component that acts
    user_id: UUID | None = None
    reason: str | None = None
    robot_id: UUID | None = None  # of ASSIGN
    book_location: str | None = None  # of FAIL and CANCEL: as staff state it
    copy_missing: bool = False  # of CANCEL: the copy was not on its shelf and is marked missing
    not_loaded: bool = False  # of RELEASE and FAIL: nobody loaded the robot in time


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
    _plan_drive(session, task, action)
    effect = _effect(session, task, action, before, context)
    task_effects.apply_effect(session, task, effect, context.by, context.reason)
    _write_history(session, task, action, before, context)
    _update_commands(session, task, action, context, robot_id)
    session.flush()
    task_effects.publish_task_event(session, task, EVENTS[action, task.stage], context.reason)


def take_all(
    session: Session, task_ids: Collection[UUID], by: str, reasons: Mapping[UUID, WaitingReason]
) -> set[UUID]:
    """Apply TAKE to those tasks that are new and not locked; it has no effect on anything else.

    Stores why each waits for a robot. Return the tasks.
    """
    session.flush()
    values = {
        "ids": list(task_ids),
        "entry_ids": [ids.uuid7() for _ in task_ids],
        "reasons": [reasons[task_id].value if task_id in reasons else None for task_id in task_ids],
        "by": by,
        "now": clock.now(),
    }
    taken = _TAKE.run(session, values).mappings().all()
    outbox.publish_all(session, [TaskQueued(**row) for row in taken])
    return {row["task_id"] for row in taken}


def _effect(
    session: Session, task: DeliveryTask, action: Action, before: State, context: TransitionContext
) -> Effect:
    if before == FAILED and action is Action.CANCEL:
        return task_effects.effect_of_cancelled_failure(
            session, task, context.by, context.book_location
        )
    if action is Action.RETRY:
        task_effects.unload_for_retry(session, task, context.by)
    effect = EFFECTS[task.task_type].get(action, Effect())
    return replace(effect, custody=None) if context.copy_missing else effect


def _set_state(task: DeliveryTask, action: Action, context: TransitionContext) -> None:
    now = clock.now()
    task.status, task.stage = TRANSITIONS[action][state_of(task)]
    task.stage_since, task.reminders, task.extensions = now, 0, 0
    task.waiting_reason = None
    task.arrived_at = now if action is Action.ARRIVE else None
    if action is Action.ASSIGN:
        task.assigned_robot_id = context.robot_id
        task.started_at = task.started_at or now
    elif action is Action.LOAD:
        task.loaded_at, task.loaded_by = now, context.user_id
    elif action in {Action.RELEASE, Action.RETRY}:
        _begin_attempt(task)
    _set_reasons(task, action, context)
    if task.status in CLOSED_STATUSES:
        task.completed_at = now
        eta.forget(task)


def _set_reasons(task: DeliveryTask, action: Action, context: TransitionContext) -> None:
    if action in {Action.FAIL, Action.CANCEL, Action.BRING_BACK}:
        task.failure_reason = context.reason
    elif action is Action.RETRY:
        task.failure_reason, task.book_location = None, None
        task.times_not_loaded, task.back_waypoint_id = 0, None
    if context.not_loaded:
        task.times_not_loaded += 1
    if context.book_location is not None:
        task.book_location = context.book_location


def _begin_attempt(task: DeliveryTask) -> None:
    task.assigned_robot_id = task.loaded_at = task.loaded_by = None
    task.attempt += 1


def _plan_drive(session: Session, task: DeliveryTask, action: Action) -> None:
    """Set the ETA of an assigned or loaded robot, and the workstation that a book goes back to."""
    if action in {Action.ASSIGN, Action.LOAD}:
        robot = session.get_one(Robot, task.assigned_robot_id)
        eta.say_for_robot(session, task, robot, _cause_of_delay(task, action))
    elif action is Action.BRING_BACK:
        eta.forget(task)
        task.back_waypoint_id = _workstation_back(session, task)


def _cause_of_delay(task: DeliveryTask, action: Action) -> EtaReason:
    """Return why a task arrives later, if it does, at the assignment or the loading."""
    if action is Action.LOAD:
        return EtaReason.WAITING_TO_BE_LOADED
    return EtaReason.ANOTHER_ROBOT if task.attempt > 1 else EtaReason.WAITING_FOR_ROBOT


def _workstation_back(session: Session, task: DeliveryTask) -> UUID:
    """Return the task's source if it is a workstation, else the default one."""
    graph = route_graph.current(session)
    source = graph.waypoints.get(task.source_waypoint_id)
    if source is not None and source.kind is WaypointKind.WORKSTATION:
        return source.id
    return graph.workstation_for(None).id


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
    elif action is Action.ARRIVE and task.stage is Stage.HANDOVER:
        commands.announce_arrival(session, task)
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
