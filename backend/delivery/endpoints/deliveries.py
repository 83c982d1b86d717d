"""Endpoints of `/deliveries`: delivery tasks as staff handle them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.orm import Session

from backend.delivery import queries
from backend.delivery.dependencies import MATCHING_TASK
from backend.delivery.schemas.deliveries import (
    BookPlaced,
    DeliveryCancel,
    FailBody,
    LocationRead,
    PriorityBody,
    StaffDelivery,
)
from backend.delivery.schemas.tasks import TaskDetail, TaskRead
from backend.delivery.service import read_models, staff_deliveries, tasks
from backend.shared.domain.actor import Actor
from backend.shared.errors import (
    BookNotAvailable,
    Conflict,
    InvalidStateTransition,
    NotFound,
    StaleVersion,
    UnknownLocation,
    WrongCopy,
    WrongRobot,
)
from backend.shared.models import (
    DeliveryTask,
    Priority,
    TaskStatus,
    TaskType,
    Waypoint,
    WaypointKind,
)
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer
from backend.shared.web.idempotency import IdempotencyDep, IdempotentRequest
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.schemas import EmptyBody, Instant
from backend.shared.web.security.authentication import AnyoneDep, StaffDep

router = routing.router("/deliveries", "deliveries")
_CHANGES: dict[str, Any] = {
    "dependencies": [MATCHING_TASK],
    "responses": routing.responses(NotFound, InvalidStateTransition, StaleVersion),
}


@router.get("", summary="List delivery tasks")
def list_delivery_tasks(  # noqa: PLR0913, PLR0917 (one parameter a filter, api.md §7)
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    status: TaskStatus | None = None,
    task_type: TaskType | None = None,
    priority: Priority | None = None,
    robot_id: UUID | None = None,
    since: Annotated[Instant | None, Query(alias="from", description="Created at or after")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Created before")] = None,
) -> PageAnswer[TaskRead]:
    """Role: librarian. Newest first; sort by `created_at`, `priority`, `status`."""
    statement = queries.tasks().where(
        *queries.equal(
            (DeliveryTask.status, status),
            (DeliveryTask.task_type, task_type),
            (DeliveryTask.priority, priority),
            (DeliveryTask.assigned_robot_id, robot_id),
        )
    )
    if since is not None:
        statement = statement.where(DeliveryTask.created_at >= since)
    if until is not None:
        statement = statement.where(DeliveryTask.created_at < until)
    statement = ordered(
        statement, page, queries.SORT_TASKS, default="-created_at", tiebreak=DeliveryTask.id
    )
    return paginate(reader, statement, page, TaskRead)


def _create(
    once: IdempotentRequest, session: Session, actor: Actor, kind: TaskType, body: StaffDelivery
) -> Response:
    return once.answer(
        lambda: read_models.task_detail(
            session, staff_deliveries.create(session, actor, kind, body).id
        ),
        location=lambda task: f"/api/v1/deliveries/{task.id}",
    )


_CREATES: dict[str, Any] = {
    "status_code": 201,
    "response_model": Answer[TaskDetail],
    "responses": routing.responses(NotFound, BookNotAvailable, UnknownLocation),
}


@router.post("/inter-staff", summary="Create an inter-staff delivery", **_CREATES)
def create_inter_staff_delivery(
    body: StaffDelivery, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian. By title or barcode; the copy stays at the recipient's desk."""
    return _create(once, session, actor, TaskType.INTER_STAFF, body)


@router.post("/workstation", summary="Create a workstation delivery", **_CREATES)
def create_workstation_delivery(
    body: StaffDelivery, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian. By title or barcode."""
    return _create(once, session, actor, TaskType.WORKSTATION, body)


@router.post("/transfer", summary="Create a transfer", **_CREATES)
def create_transfer(
    body: StaffDelivery, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian. The copy waits at the destination; `to_shelf` becomes its shelf."""
    return _create(once, session, actor, TaskType.TRANSFER, body)


@router.get("/locations", summary="List delivery locations")
def list_delivery_locations(
    reader: ReadDep, _: AnyoneDep, page: PageDep, kind: WaypointKind | None = None
) -> PageAnswer[LocationRead]:
    """Role: all. Sort by `location_code` (default), `name` or `floor`."""
    statement = queries.locations().where(*queries.equal((Waypoint.kind, kind)))
    columns = {
        "location_code": Waypoint.location_code,
        "name": Waypoint.name,
        "floor": Waypoint.floor,
    }
    statement = ordered(statement, page, columns, default="location_code", tiebreak=Waypoint.id)
    return paginate(reader, statement, page, LocationRead)


@router.get("/{task_id}", summary="Get a delivery task", responses=routing.responses(NotFound))
def get_delivery_task(
    task_id: UUID, reader: ReadDep, _: StaffDep, response: Response
) -> Answer[TaskDetail]:
    """Role: librarian. With its history and `ETag`."""
    task = read_models.task_detail(reader, task_id)
    return etags.tagged(response, task, task.version)


@router.put(
    "/{task_id}/book-placed",
    summary="Confirm loading",
    dependencies=[MATCHING_TASK],
    responses=routing.responses(
        NotFound, InvalidStateTransition, WrongRobot, WrongCopy, StaleVersion
    ),
)
def confirm_loading(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    body: BookPlaced | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. Each given field is checked; after a reassignment `robot_id` is required."""
    given = body or BookPlaced()
    task = tasks.confirm_loading(
        session, task_id, actor, given.robot_id, given.copy_barcode, given.attempt
    )
    return _tagged(response, session, task)


@router.put("/{task_id}/complete", summary="Complete a delivery", **_CHANGES)
def complete_delivery(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. Ends a return, a staff delivery, or a cancelled one whose book is back."""
    task = tasks.complete(session, task_id, actor)
    return _tagged(response, session, task)


@router.put("/{task_id}/cancel", summary="Cancel a delivery", **_CHANGES)
def cancel_delivery(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    body: DeliveryCancel | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. A failed delivery that had been loaded needs `book_location`."""
    given = body or DeliveryCancel()
    task = tasks.cancel(session, task_id, actor, given.reason, given.book_location)
    return _tagged(response, session, task)


@router.put("/{task_id}/fail", summary="Fail a delivery", **_CHANGES)
def fail_delivery(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    body: FailBody,
) -> Answer[TaskDetail]:
    """Role: librarian. Request and copy keep their state until a retry or cancel."""
    task = tasks.fail(session, task_id, actor, body.reason, body.book_location)
    return _tagged(response, session, task)


@router.put(
    "/{task_id}/retry",
    summary="Retry a delivery",
    dependencies=[MATCHING_TASK],
    responses=routing.responses(NotFound, InvalidStateTransition, Conflict, StaleVersion),
)
def retry_delivery(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. Queues a failed delivery as a new attempt."""
    return _tagged(response, session, tasks.retry(session, task_id, actor))


@router.put("/{task_id}/priority", summary="Set the priority of a delivery", **_CHANGES)
def set_delivery_priority(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    body: PriorityBody,
) -> Answer[TaskDetail]:
    """Role: librarian. The queue is reordered at once."""
    task = tasks.set_priority(session, task_id, actor, body.priority)
    return _tagged(response, session, task)


def _tagged(response: Response, session: Session, task: DeliveryTask) -> Answer[TaskDetail]:
    detail = read_models.task_detail(session, task.id)
    return etags.tagged(response, detail, detail.version)
