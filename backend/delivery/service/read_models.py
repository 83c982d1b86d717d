"""Build the responses of requests, returns and tasks: with task, robot position and current ETA."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Protocol, cast
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam
from sqlalchemy.orm import Session

from backend.delivery import queries
from backend.delivery.schemas.alerts import AlertRead
from backend.delivery.schemas.requests import RequestDetail, RequestRead
from backend.delivery.schemas.returns import ReturnDetail, ReturnRead
from backend.delivery.schemas.tasks import HistoryRead, RobotPosition, TaskDetail, TaskSummary
from backend.delivery.service import actions, alert_rules, arrivals, requests
from backend.delivery.service.actions import RequestState, ReturnState, TaskState
from backend.shared.domain import access, eta, texts, waits
from backend.shared.domain.access import Access
from backend.shared.domain.actor import Actor
from backend.shared.errors import NotFound
from backend.shared.infra import clock
from backend.shared.infra.hot_reads import MAX_REMEMBERED, HotRead
from backend.shared.models import (
    Alert,
    AlertKind,
    BookRequest,
    BookReturn,
    DeliveryTask,
    EtaReason,
    Robot,
    Stage,
    TaskStatus,
    WaitingReason,
)
from backend.shared.web.pagination import AnySelect, Records


class TaskRow(Protocol):
    """The columns of a task in a row of `queries.requests` and `queries.returns`."""

    id: UUID
    user_id: UUID
    task_id: UUID
    reference: str
    task_status: TaskStatus
    stage: Stage | None
    waits_since: datetime
    extensions: int
    waiting_reason: WaitingReason | None
    eta: datetime | None
    eta_earliest: datetime | None
    eta_latest: datetime | None
    eta_reason: EtaReason | None
    task_version: int
    assigned_robot_id: UUID | None
    robot_name: str | None
    robot_pose: dict[str, Any] | None
    robot_stopped: bool
    robot_seen_at: datetime | None

    def _asdict(self) -> dict[str, Any]: ...


class RequestRow(TaskRow, RequestState, Protocol):
    """A row of `queries.requests`; the other columns are fields of `RequestRead`."""

    requested_at: datetime
    handover_code: str


class ReturnRow(TaskRow, ReturnState, Protocol):
    """A row of `queries.returns`; the other columns are fields of `ReturnRead`."""


class DeliveryRow(TaskState, Protocol):
    """A row of `queries.tasks`; the other columns are fields of `TaskDetail`."""

    eta: datetime | None
    assigned_robot_id: UUID | None

    def _asdict(self) -> dict[str, Any]: ...


class AlertRow(Protocol):
    """A row of `queries.alerts`; the other columns are fields of `AlertRead`."""

    kind: AlertKind

    def _asdict(self) -> dict[str, Any]: ...


_DRIVING = frozenset({Stage.TO_SOURCE, Stage.TO_DESTINATION})
_WAITING = frozenset({TaskStatus.PENDING, TaskStatus.QUEUED})
_WITH_ROBOT = frozenset({TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS})
_COLUMNS = tuple(queries.requests().selected_columns.keys())
_REQUEST = queries.requests().where(BookRequest.id == bindparam("id"))
_RETURN = queries.returns().where(BookReturn.id == bindparam("id"))
_TASK = queries.tasks().where(DeliveryTask.id == bindparam("id"))
_QUEUE_AHEAD, _HISTORY = queries.queue_ahead(bindparam("id")), queries.history(bindparam("id"))


def _position(pose: dict[str, Any] | None) -> RobotPosition | None:
    return None if pose is None else RobotPosition.model_validate(pose)


def _stored_task(row: TaskRow) -> TaskSummary:
    """Summarize a task from the database alone; an overdue ETA is given as now."""
    is_served = row.task_status in _WITH_ROBOT
    return TaskSummary(
        id=row.task_id,
        reference=row.reference,
        status=row.task_status,
        stage=row.stage,
        waiting_reason=row.waiting_reason,
        queue_ahead=None,
        eta=row.eta and max(row.eta, clock.now()),
        eta_earliest=row.eta_earliest,
        eta_latest=row.eta_latest,
        eta_reason=row.eta_reason,
        wait_until=waits.until(row.stage, row.waits_since, row.extensions),
        robot_name=row.robot_name if is_served else None,
        robot_position=_position(row.robot_pose),
        robot_seen_at=row.robot_seen_at if is_served else None,
        stopped=bool(is_served and row.robot_stopped),
        version=row.task_version,
    )


def _current_task(session: Session, row: TaskRow) -> TaskSummary:
    """Summarize a task with the robot's position and ETA as of this second."""
    stored = _stored_task(row)
    if row.task_status in _WAITING:
        ahead = session.connection().execute(_QUEUE_AHEAD, {"id": row.task_id}).scalar_one()
        return stored.model_copy(update={"robot_position": None, "queue_ahead": ahead})
    if row.assigned_robot_id is None or row.task_status not in _WITH_ROBOT:
        return stored.model_copy(update={"robot_position": None})
    pose, arrival = _live(session, row.task_id, row.assigned_robot_id)
    changes = {"robot_position": _position(pose), "eta": arrival or stored.eta}
    return stored.model_copy(update=changes)


def _live(
    session: Session, task_id: UUID, robot_id: UUID
) -> tuple[dict[str, Any] | None, datetime | None]:
    """Return the robot's pose and the ETA as of this second; no ETA while it does not drive.

    A much later one neither: `arrivals.revise_all` says it, with its reason.
    """
    task, robot = session.get_one(DeliveryTask, task_id), session.get_one(Robot, robot_id)
    pose = arrivals.live_pose(robot)
    is_known = task.stage in _DRIVING and task.eta is not None
    new = eta.predict(session, task, pose, robot.speed) if is_known else None
    if new is None:
        return pose, None
    arrival, is_late = eta.revise(eta.said_of(task), new)
    return pose, None if is_late else arrival.expected


def _visible_code(row: RequestRow, reader: UUID | None) -> str | None:
    """Return the hand-over code to the requester alone, while the robot waits there."""
    shown = row.user_id == reader and row.stage is Stage.HANDOVER
    return row.handover_code if shown else None


def request_items(found: Records, actor: Actor) -> Iterator[bytes]:
    """Return the JSON of each request of a list; an overdue ETA is as of this moment."""
    now = clock.now()
    for record in found.page:
        row = cast(RequestRow, found.read.row(record))
        reader = actor.id if _visible_code(row, actor.id) else None
        encode = _request_json if row.eta is None or row.eta >= now else _request_json.__wrapped__
        yield encode(found.read, record, reader)


@lru_cache(maxsize=MAX_REMEMBERED)
def _request_json(read: HotRead, record: bytes, reader: UUID | None) -> bytes:
    row = cast(RequestRow, read.row(record))
    code = _visible_code(row, reader)
    values = {**row._asdict(), "task": _stored_task(row), "handover_code": code}
    return RequestRead.model_validate(values).model_dump_json().encode()


def return_read(row: ReturnRow) -> ReturnRead:
    return ReturnRead.model_validate({**row._asdict(), "task": _stored_task(row)})


def _visible_row(
    session: Session, statement: AnySelect, row_id: UUID, actor: Actor, kind: str
) -> Row[*tuple[Any, ...]]:
    """Select one request or return; NotFound for another member's."""
    row = _connection(session).execute(statement, {"id": row_id}).one_or_none()
    if row is None:
        raise NotFound(f"{kind} not found.")
    access.require(actor, row.user_id, Access.VIEW, kind)
    return row


def _with_task(session: Session, row: TaskRow) -> dict[str, Any]:
    history = _history(session, row.task_id)
    return {**row._asdict(), "task": _current_task(session, row), "history": history}


def _connection(session: Session | Connection) -> Connection:
    """Return the connection of a session, whose pending changes are sent first."""
    if isinstance(session, Connection):
        return session
    session.flush()
    return session.connection()


def _history(session: Session | Connection, task_id: UUID) -> list[HistoryRead]:
    rows = _connection(session).execute(_HISTORY, {"id": task_id}).all()
    return [HistoryRead.model_validate(row) for row in rows]


def request_detail(session: Session, request_id: UUID, actor: Actor) -> RequestDetail:
    """Read one request; NotFound for another member's."""
    row = cast(RequestRow, _visible_row(session, _REQUEST, request_id, actor, "Request"))
    return RequestDetail.model_validate(
        {
            **_with_task(session, row),
            "handover_code": _visible_code(row, actor.id),
            "actions": actions.of_request(row),
        }
    )


def new_request(made: requests.NewRequest, actor: Actor) -> RequestDetail:
    """Build the response of a request that was just created, from what was stored."""
    values = dict.fromkeys(_COLUMNS) | made.row
    row = cast(RequestRow, SimpleNamespace(**values))
    entry = HistoryRead(
        from_status=None,
        to_status=row.task_status,
        from_stage=None,
        to_stage=None,
        changed_by=str(actor.id),
        reason=None,
        created_at=row.requested_at,
    )
    return RequestDetail(
        **values | {"handover_code": None},
        task=_stored_task(row).model_copy(update={"queue_ahead": made.queue_ahead}),
        history=[entry],
        actions=actions.of_request(row),
    )


def return_detail(session: Session, return_id: UUID, actor: Actor) -> ReturnDetail:
    """Read one return; NotFound for another member's."""
    row = cast(ReturnRow, _visible_row(session, _RETURN, return_id, actor, "Return"))
    return ReturnDetail.model_validate(
        {**_with_task(session, row), "actions": actions.of_return(row)}
    )


def task_detail(session: Session | Connection, task_id: UUID) -> TaskDetail:
    """Read one task with its whole history and its current ETA."""
    found = _connection(session).execute(_TASK, {"id": task_id}).one_or_none()
    if found is None:
        raise NotFound("Delivery not found.")
    row = cast(DeliveryRow, found)
    values = {
        **row._asdict(),
        "history": _history(session, task_id),
        "actions": actions.of_task(row),
    }
    if row.stage in _DRIVING and row.assigned_robot_id is not None:
        reading = session if isinstance(session, Session) else Session(session)
        values["eta"] = _live(reading, task_id, row.assigned_robot_id)[1] or row.eta
    return TaskDetail.model_validate(values)


def alert_read(row: AlertRow) -> AlertRead:
    """Build the response of an alert."""
    suggested = [
        {"name": name, "text": texts.ACTIONS[name]}
        for name in alert_rules.SUGGESTED_ACTIONS[row.kind]
    ]
    return AlertRead.model_validate({**row._asdict(), "suggested_actions": suggested})


def alert_detail(session: Session | Connection, alert_id: UUID) -> AlertRead:
    """Read one alert."""
    row = session.execute(queries.alerts().where(Alert.id == alert_id)).one_or_none()
    if row is None:
        raise NotFound("Alert not found.")
    return alert_read(cast(AlertRow, row))
