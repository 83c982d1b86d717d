"""Requests and returns as their owner sees them: with the journey, the robot, an honest ETA."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from backend.delivery import queries
from backend.delivery.schemas.requests import RequestDetail, RequestRead
from backend.delivery.schemas.returns import ReturnDetail, ReturnRead
from backend.delivery.schemas.tasks import HistoryRead, TaskDetail, TaskSummary, later_of, pose_of
from backend.shared.domain import eta
from backend.shared.domain.actor import Actor
from backend.shared.errors import NotFound
from backend.shared.infra import cache, clock
from backend.shared.models import (
    BookRequest,
    BookReturn,
    DeliveryTask,
    Robot,
    Stage,
    TaskStatus,
)

_CODE_STAGES = frozenset({Stage.HANDOVER})
_DRIVING = frozenset({Stage.TO_SOURCE, Stage.TO_DESTINATION})


def summary(row: Any) -> TaskSummary:
    """The journey of a listed request or return, from what the database holds."""
    return TaskSummary(
        id=row.task_id,
        reference=row.reference,
        status=row.task_status,
        stage=row.stage,
        eta=later_of(row.eta, clock.now()),
        robot_position=pose_of(row.robot_pose),
    )


def _code(row: Any, actor: Actor) -> str | None:
    """The code is the receiver's alone, from the moment the robot is there."""
    shown = row.user_id == actor.id and row.stage in _CODE_STAGES
    return str(row.handover_code) if shown else None


def request_of(row: Any, actor: Actor) -> RequestRead:
    return RequestRead.model_validate(
        {**row._mapping, "handover_code": _code(row, actor), "task": summary(row)}  # noqa: SLF001 (a row's public mapping)
    )


def return_of(row: Any) -> ReturnRead:
    return ReturnRead.model_validate({**row._mapping, "task": summary(row)})  # noqa: SLF001 (a row's public mapping)


def _live(session: Session, row: Any) -> TaskSummary:
    """The journey with the robot where it is this second."""
    listed = summary(row)
    if row.assigned_robot_id is None or row.task_status not in {
        TaskStatus.ASSIGNED,
        TaskStatus.IN_PROGRESS,
    }:
        return listed.model_copy(update={"robot_position": None})
    kept = cache.get(cache.robot_key(row.assigned_robot_id))
    pose = json.loads(kept)["pose"] if kept is not None else row.robot_pose
    arrival = listed.eta
    if row.stage in _DRIVING:
        task = session.get(DeliveryTask, row.task_id)
        robot = session.get(Robot, row.assigned_robot_id)
        if task is not None and robot is not None:
            arrival = eta.estimate(session, task, pose, robot.speed) or arrival
    return listed.model_copy(update={"robot_position": pose_of(pose), "eta": arrival})


def _history(session: Session, task_id: UUID) -> list[HistoryRead]:
    rows = session.execute(queries.history(task_id)).all()
    return [HistoryRead.model_validate(row) for row in rows]


def request_detail(session: Session, request_id: UUID, actor: Actor) -> RequestDetail:
    """One request; NotFound for another student's."""
    session.flush()
    row = session.execute(queries.requests().where(BookRequest.id == request_id)).one_or_none()
    if row is None or not (actor.is_staff or row.user_id == actor.id):
        raise NotFound("There is no such request.")
    read = request_of(row, actor)
    return RequestDetail.model_validate(
        {
            **read.model_dump(),
            "task": _live(session, row),
            "history": _history(session, row.task_id),
        }
    )


def return_detail(session: Session, return_id: UUID, actor: Actor) -> ReturnDetail:
    """One return; NotFound for another student's."""
    session.flush()
    row = session.execute(queries.returns().where(BookReturn.id == return_id)).one_or_none()
    if row is None or not (actor.is_staff or row.user_id == actor.id):
        raise NotFound("There is no such return.")
    read = return_of(row)
    return ReturnDetail.model_validate(
        {
            **read.model_dump(),
            "task": _live(session, row),
            "history": _history(session, row.task_id),
        }
    )


def task_detail(session: Session | Connection, task_id: UUID) -> TaskDetail:
    """One journey with its whole history."""
    if isinstance(session, Session):
        session.flush()
    row = session.execute(queries.tasks().where(DeliveryTask.id == task_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such delivery.")
    steps = session.execute(queries.history(task_id)).all()
    return TaskDetail.model_validate(
        {**row._mapping, "history": [HistoryRead.model_validate(step) for step in steps]}  # noqa: SLF001 (a row's public mapping)
    )
