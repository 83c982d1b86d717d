"""Endpoint: the queue of delivery tasks as the dispatcher serves it."""

from uuid import UUID

from backend.robot import queries
from backend.robot.schemas.tasks import QueuedTask
from backend.shared.models import DeliveryTask, Priority, TaskStatus
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import PageAnswer
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "robots")


@router.get("/tasks", summary="List tasks in serving order")
def list_task_queue(
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    status: TaskStatus | None = None,
    priority: Priority | None = None,
    robot_id: UUID | None = None,
) -> PageAnswer[QueuedTask]:
    """Role: librarian. Tasks under way first, then waiting ones by priority and age.

    A task rises by one priority for each `LUNA_PRIORITY_AGEING` that it has waited.

    Sort by `serving_order` (default), `created_at`, `priority` or `status`.
    """
    filters = (
        (DeliveryTask.status, status),
        (DeliveryTask.priority, priority),
        (DeliveryTask.assigned_robot_id, robot_id),
    )
    statement = queries.task_queue().where(
        *(column == value for column, value in filters if value is not None)
    )
    statement = ordered(
        statement,
        page,
        queries.task_sorts(),
        default="serving_order",
        tiebreak=DeliveryTask.id,
    )
    return paginate(reader, statement, page, QueuedTask)
