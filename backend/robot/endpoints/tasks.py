"""Endpoint: the queue of delivery tasks as the dispatcher serves it."""

from backend.robot import queries
from backend.robot.schemas.tasks import QueuedTask
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import PageAnswer
from backend.shared.web.pagination import PageDep, paginate
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "robots")


@router.get("/tasks", summary="List tasks in serving order")
def list_task_queue(reader: ReadDep, _: StaffDep, page: PageDep) -> PageAnswer[QueuedTask]:
    """Role: librarian. Tasks under way first, then waiting ones by priority and age."""
    return paginate(reader, queries.task_queue(), page, QueuedTask)
