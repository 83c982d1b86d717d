"""`/deliveries`: journeys as staff lead them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.orm import Session

from backend.delivery import queries
from backend.delivery.schemas.deliveries import (
    BookPlaced,
    DeliveryCancel,
    FailBody,
    LocationRead,
    PickRead,
    PriorityBody,
    StaffDelivery,
)
from backend.delivery.schemas.tasks import EmptyBody, TaskDetail, TaskRead
from backend.delivery.service import read_models, staff_deliveries, tasks
from backend.shared.domain.actor import Actor
from backend.shared.errors import (
    BookNotAvailable,
    Conflict,
    InvalidStateTransition,
    NotFound,
    UnknownLocation,
    WrongCopy,
    WrongRobot,
)
from backend.shared.models import (
    Copy,
    DeliveryTask,
    Priority,
    TaskStatus,
    TaskType,
    Waypoint,
    WaypointKind,
)
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep, IdempotentRequest
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.security.authentication import AnyoneDep, StaffDep

router = routing.router("/deliveries", "deliveries")
_ILLEGAL = routing.responses(NotFound, InvalidStateTransition)


@router.get("", summary="All journeys")
def list_tasks(  # noqa: PLR0913, PLR0917 (one argument a filter, api.md §7)
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    status: TaskStatus | None = None,
    task_type: TaskType | None = None,
    priority: Priority | None = None,
    robot_id: UUID | None = None,
    since: Annotated[datetime | None, Query(alias="from", description="Made at or after")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Made before")] = None,
) -> PageAnswer[TaskRead]:
    """Role: librarian. Newest first; sort by `created_at`, `priority`, `status`."""
    question = queries.tasks()
    for column, wanted in (
        (DeliveryTask.status, status),
        (DeliveryTask.task_type, task_type),
        (DeliveryTask.priority, priority),
        (DeliveryTask.assigned_robot_id, robot_id),
    ):
        if wanted is not None:
            question = question.where(column == wanted)
    if since is not None:
        question = question.where(DeliveryTask.created_at >= since)
    if until is not None:
        question = question.where(DeliveryTask.created_at < until)
    question = ordered(
        question, page, queries.SORT_TASKS, default="-created_at", tiebreak=DeliveryTask.id
    )
    return paginate(reader, question, page, TaskRead)


def _made(
    once: IdempotentRequest, session: Session, actor: Actor, kind: TaskType, body: StaffDelivery
) -> Response:
    return once.answer(
        lambda: read_models.task_detail(
            session, staff_deliveries.create(session, actor, kind, body).id
        ),
        location=lambda made: f"/api/v1/deliveries/{made.id}",
    )


_CREATES: dict[str, Any] = {
    "status_code": 201,
    "response_model": Answer[TaskDetail],
    "responses": routing.responses(NotFound, BookNotAvailable, UnknownLocation),
}


@router.post("/inter-staff", summary="Send a book to a colleague", **_CREATES)
def create_inter_staff(
    body: StaffDelivery, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian. By title or by its barcode; it stays at the colleague's desk."""
    return _made(once, session, actor, TaskType.INTER_STAFF, body)


@router.post("/workstation", summary="Send a book to a workstation", **_CREATES)
def create_workstation(
    body: StaffDelivery, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian. By title or by its barcode."""
    return _made(once, session, actor, TaskType.WORKSTATION, body)


@router.post("/transfer", summary="Move a copy to another section", **_CREATES)
def create_transfer(
    body: StaffDelivery, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian. Its shelf location becomes the destination."""
    return _made(once, session, actor, TaskType.TRANSFER, body)


@router.get("/pick-list", summary="Books to fetch now, in shelf order")
def pick_list(reader: ReadDep, _: StaffDep, page: PageDep) -> PageAnswer[PickRead]:
    """Role: librarian. Sort by `shelf_location` (default) or `created_at`."""
    columns = {
        "shelf_location": Copy.shelf_location,
        "created_at": DeliveryTask.created_at,
    }
    question = ordered(
        queries.pick_list(), page, columns, default="shelf_location", tiebreak=DeliveryTask.id
    )
    return paginate(reader, question, page, PickRead)


@router.get("/locations", summary="Places a robot can come to")
def list_locations(
    reader: ReadDep, _: AnyoneDep, page: PageDep, kind: WaypointKind | None = None
) -> PageAnswer[LocationRead]:
    """Role: all. Sort by `location_code` (default), `name` or `floor`."""
    question = queries.locations()
    if kind is not None:
        question = question.where(Waypoint.kind == kind)
    columns = {
        "location_code": Waypoint.location_code,
        "name": Waypoint.name,
        "floor": Waypoint.floor,
    }
    question = ordered(question, page, columns, default="location_code", tiebreak=Waypoint.id)
    return paginate(reader, question, page, LocationRead)


@router.get(
    "/{task_id}", summary="One journey with its history", responses=routing.responses(NotFound)
)
def read(task_id: UUID, reader: ReadDep, _: StaffDep, response: Response) -> Answer[TaskDetail]:
    """Role: librarian."""
    found = read_models.task_detail(reader, task_id)
    response.headers["ETag"] = f'"{found.version}"'
    return answer(found)


@router.put(
    "/{task_id}/book-placed",
    summary="The book is on the robot: it may go",
    responses=routing.responses(NotFound, InvalidStateTransition, WrongRobot, WrongCopy),
)
def book_placed(
    task_id: UUID, session: SessionDep, actor: StaffDep, body: BookPlaced | None = None
) -> Answer[TaskDetail]:
    """Role: librarian. What is named is checked; after a reassignment `robot_id` must be."""
    given = body or BookPlaced()
    task = tasks.book_placed(
        session, task_id, actor, given.robot_id, given.copy_barcode, given.attempt
    )
    return answer(read_models.task_detail(session, task.id))


@router.put("/{task_id}/complete", summary="Staff have the book", responses=_ILLEGAL)
def complete(
    task_id: UUID, session: SessionDep, actor: StaffDep, _body: EmptyBody | None = None
) -> Answer[TaskDetail]:
    """Role: librarian. The end of a return, or of a book that was brought back."""
    task = tasks.complete(session, task_id, actor)
    staff_deliveries.update_home_shelf(session, task)
    return answer(read_models.task_detail(session, task.id))


@router.put("/{task_id}/cancel", summary="End a journey", responses=_ILLEGAL)
def cancel(
    task_id: UUID, session: SessionDep, actor: StaffDep, body: DeliveryCancel | None = None
) -> Answer[TaskDetail]:
    """Role: librarian. A failed one that had been loaded: say where the book is."""
    given = body or DeliveryCancel()
    task = tasks.cancel(session, task_id, actor, given.reason, given.book_location)
    return answer(read_models.task_detail(session, task.id))


@router.put("/{task_id}/fail", summary="Give a journey up", responses=_ILLEGAL)
def fail(task_id: UUID, session: SessionDep, actor: StaffDep, body: FailBody) -> Answer[TaskDetail]:
    """Role: librarian. Request and copy stay as they are until it is retried or cancelled."""
    task = tasks.fail(session, task_id, actor, body.reason, body.book_location)
    return answer(read_models.task_detail(session, task.id))


@router.put(
    "/{task_id}/retry",
    summary="Put a failed journey back into the queue",
    responses=routing.responses(NotFound, InvalidStateTransition, Conflict),
)
def retry(
    task_id: UUID, session: SessionDep, actor: StaffDep, _body: EmptyBody | None = None
) -> Answer[TaskDetail]:
    """Role: librarian. A new attempt, perhaps with another robot."""
    return answer(read_models.task_detail(session, tasks.retry(session, task_id, actor).id))


@router.put("/{task_id}/priority", summary="Serve it sooner or later", responses=_ILLEGAL)
def set_priority(
    task_id: UUID, session: SessionDep, actor: StaffDep, body: PriorityBody
) -> Answer[TaskDetail]:
    """Role: librarian."""
    task = tasks.set_priority(session, task_id, actor, body.priority)
    return answer(read_models.task_detail(session, task.id))
