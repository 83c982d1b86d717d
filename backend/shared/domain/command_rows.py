"""The rows of commands: what a robot is told to do for a task."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.domain import route_graph, texts
from backend.shared.domain.route_graph import GraphWaypoint
from backend.shared.errors import RobotUnavailable
from backend.shared.infra import clock
from backend.shared.models import (
    BookRequest,
    CommandType,
    DeliveryTask,
    Leg,
    LoadingProof,
    Robot,
    RobotCommand,
    Stage,
    User,
)

_LONGEST_DRIVE = timedelta(hours=1)
_ANNOUNCEMENT_TIMEOUT = timedelta(minutes=1)


def undock(task: DeliveryTask) -> RobotCommand:
    """Build the command to leave the dock before the first drive."""
    return RobotCommand(
        type=CommandType.UNDOCK,
        task_id=task.id,
        payload={},
        deadline=clock.now() + _LONGEST_DRIVE,
    )


def navigate(
    session: Session, robot: Robot, task: DeliveryTask, leg: Leg, proof: LoadingProof | None
) -> RobotCommand | None:
    """Build the command to drive this leg; None without an open route.

    RobotUnavailable when the leg carries a book and there is no proof.
    """
    route = _route(session, robot, task)
    if route is None:
        return None
    if leg is not Leg.TO_SOURCE and proof is None:
        proof = _proof_of(session, task)
    return RobotCommand(
        type=CommandType.NAVIGATE,
        task_id=task.id,
        leg=leg,
        target_waypoint_id=_target_of(task),
        loading_proof_id=proof.id if proof is not None else None,
        payload=_navigation_payload(task, route, proof),
        deadline=clock.now() + _LONGEST_DRIVE,
    )


def announce_arrival(session: Session, task: DeliveryTask) -> RobotCommand:
    """Build what the robot says at a hand-over: no title and no name, since others listen."""
    language = session.execute(
        select(User.preferred_language)
        .outerjoin(BookRequest, BookRequest.id == task.request_id)
        .where(User.id == (task.recipient_id or BookRequest.user_id))
    ).scalar_one_or_none()
    text = texts.ARRIVALS.get(language or "en", texts.ARRIVALS["en"])
    return RobotCommand(
        type=CommandType.ANNOUNCE,
        payload={"text": text, "sound": None},
        deadline=clock.now() + _ANNOUNCEMENT_TIMEOUT,
    )


def _target_of(task: DeliveryTask) -> UUID:
    """Return the waypoint to which the task's present stage leads."""
    if task.stage is Stage.TO_SOURCE:
        return task.source_waypoint_id
    if task.stage is Stage.BRINGING_BACK and task.back_waypoint_id is not None:
        return task.back_waypoint_id
    return task.destination_waypoint_id


def _proof_of(session: Session, task: DeliveryTask) -> LoadingProof:
    proof: LoadingProof | None = session.execute(
        select(LoadingProof).where(
            LoadingProof.task_id == task.id,
            LoadingProof.robot_id == task.assigned_robot_id,
            LoadingProof.attempt == task.attempt,
        )
    ).scalar_one_or_none()
    if proof is None:
        raise RobotUnavailable("The loading has not been confirmed for this robot.")
    return proof


def _route(session: Session, robot: Robot, task: DeliveryTask) -> list[GraphWaypoint] | None:
    """Find the shortest open route to the task's target; None when there is none."""
    graph = route_graph.current(session)
    target, here = graph.waypoints.get(_target_of(task)), graph.nearest(robot.pose)
    if target is None or here is None:
        return None
    try:
        return graph.route(here.id, target.id)
    except RobotUnavailable:
        return None


def _navigation_payload(
    task: DeliveryTask, route: list[GraphWaypoint], proof: LoadingProof | None
) -> dict[str, Any]:
    target = route[-1]
    stage = task.stage.value if task.stage is not None else None
    return {
        "waypoint": target.as_payload(),
        "route": [waypoint.as_payload() for waypoint in route],
        "task": {"id": str(task.id), "reference": task.reference, "stage": stage},
        "loading_proof_id": str(proof.id) if proof is not None else None,
    }
