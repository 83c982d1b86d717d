"""What a member can change while a request is open: place, waiting time, a reported problem."""

import secrets
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.delivery.service import alert_rules, alerts, tasks
from backend.delivery.service.actions import BEFORE_LOADING
from backend.delivery.service.alerts import Fault
from backend.shared.domain import audit, eta, route_graph, task_effects, workflow
from backend.shared.domain.actor import Actor
from backend.shared.errors import Conflict, WrongCode, invalid
from backend.shared.events import RequestPlaceChanged, TaskExtended
from backend.shared.infra import config, database
from backend.shared.models import (
    AlertKind,
    AlertSeverity,
    Book,
    BookRequest,
    DeliveryTask,
    EtaReason,
    ProblemKind,
    Robot,
    Stage,
)


def extend(session: Session, request_id: UUID) -> None:
    """Let the robot wait longer at the door; Conflict when that was granted often enough."""
    task = tasks.lock_for(session, request=request_id)
    if task.stage is not Stage.HANDOVER:
        raise workflow.invalid_transition(task, "EXTEND")
    limit = config.workflow().handover_extensions
    if task.extensions >= limit:
        raise Conflict(f"The robot waits at most {limit} times longer.", limit=limit)
    task.extensions += 1
    task_effects.publish_task_event(session, task, TaskExtended)


def change_place(session: Session, request_id: UUID, actor: Actor, location: str) -> None:
    """Bring the book to another place; InvalidStateTransition once the robot has the book."""
    task = tasks.lock_for(session, request=request_id)
    request = database.row_lock(session, BookRequest, request_id)
    place = route_graph.current(session).find(location)
    if request.waypoint_id == place.id:
        return
    if task.status not in BEFORE_LOADING:
        raise workflow.invalid_transition(task, "CHANGE_PLACE")
    changes = {"from": request.request_location, "to": place.name}
    request.request_location, request.waypoint_id = place.name, place.id
    task.destination_location, task.destination_waypoint_id = place.name, place.id
    session.flush()
    if task.assigned_robot_id is not None:
        robot = session.get_one(Robot, task.assigned_robot_id)
        eta.say_for_robot(session, task, robot, EtaReason.DETOUR)
    audit.record(
        session,
        actor_id=actor.id,
        action="request.change_place",
        resource=("request", request.id),
        changes=changes,
    )
    task_effects.publish_request_event(session, RequestPlaceChanged, request, task)


def report_problem(session: Session, request_id: UUID, kind: ProblemKind, text: str | None) -> None:
    """Alert staff about a member's problem with the delivery."""
    task = session.execute(
        select(DeliveryTask.id, DeliveryTask.reference, Book.title, DeliveryTask.assigned_robot_id)
        .join(Book, Book.id == DeliveryTask.book_id)
        .where(DeliveryTask.request_id == request_id)
    ).one()
    alerts.raise_alert(
        session,
        Fault(
            kind=AlertKind.REQUEST_PROBLEM,
            subject=alert_rules.task_subject(task.id),
            severity=AlertSeverity.CRITICAL
            if kind is ProblemKind.NO_BOOK
            else AlertSeverity.WARNING,
            message=f"The member reports {kind} for delivery {task.reference} of “{task.title}”.",
            reason=text,
            task_id=task.id,
            robot_id=task.assigned_robot_id,
        ),
    )


def spend_code_try(request_id: UUID, code: str) -> None:
    """Check the hand-over code; WrongCode for a wrong one, and for any after too many.

    Each try is counted in a transaction of its own, so that a refusal does not undo it.
    """
    limit = config.workflow().handover_code_tries
    with database.transaction() as session:
        counted = session.execute(
            update(BookRequest)
            .where(BookRequest.id == request_id, BookRequest.code_tries < limit)
            .values(code_tries=BookRequest.code_tries + 1)
            .returning(BookRequest.handover_code, BookRequest.code_tries)
        ).one_or_none()
        if counted is not None and secrets.compare_digest(code, counted.handover_code):
            session.execute(
                update(BookRequest).where(BookRequest.id == request_id).values(code_tries=0)
            )
            return
    left = 0 if counted is None else limit - counted.code_tries
    violation = (
        "is not the code of this request" if left else "give a reason instead: too many tries"
    )
    raise WrongCode(fields={"handover_code": [violation]}, tries_left=left)


def require_code_or_reason(code: str | None, reason: str | None) -> None:
    """Raise Invalid when staff give neither the member's code nor a reason."""
    if code is None and reason is None:
        raise invalid("handover_code", "give the member's code, or a reason")
