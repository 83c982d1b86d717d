"""Endpoints: what each robot does, the queue of tasks, reported errors."""

from uuid import UUID

from backend.robot import queries
from backend.robot.schemas.robots import QueuedTask, RobotErrorRead, RobotRead, seconds_since
from backend.shared.errors import NotFound
from backend.shared.infra import clock
from backend.shared.models import Robot, RobotError, RobotStatus
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep, ordered, page_of, paginate
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "robot")


@router.get("/status", summary="What each robot does now")
def list_status(
    reader: ReadDep, _: StaffDep, page: PageDep, status: RobotStatus | None = None
) -> PageAnswer[RobotRead]:
    """Role: librarian. Sort by `robot_name` (default) or `created_at`."""
    question = queries.robots()
    if status is not None:
        question = question.where(Robot.status == status)
    columns = {"robot_name": Robot.robot_name, "created_at": Robot.created_at}
    question = ordered(question, page, columns, default="robot_name", tiebreak=Robot.id)
    return paginate(reader, question, page, RobotRead)


@router.get(
    "/status/{robot_id}", summary="What one robot does now", responses=routing.responses(NotFound)
)
def read_status(robot_id: UUID, reader: ReadDep, _: StaffDep) -> Answer[RobotRead]:
    """Role: librarian."""
    row = reader.execute(queries.robots(robot_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such robot.")
    return answer(RobotRead.model_validate(row))


@router.get("/tasks", summary="The queue in the order it will be served, and what is under way")
def list_tasks(reader: ReadDep, _: StaffDep, page: PageDep) -> PageAnswer[QueuedTask]:
    """Role: librarian."""
    rows = reader.execute(queries.queue()).all()
    now = clock.now()
    chosen = rows[page.offset : page.offset + page.limit]
    items = [
        QueuedTask.model_validate(
            {**row._mapping, "waiting_seconds": seconds_since(row.created_at, now)}  # noqa: SLF001 (a row's public mapping)
        )
        for row in chosen
    ]
    return page_of(items, page, len(rows))


@router.get(
    "/robots/{robot_id}/errors",
    summary="What a robot has reported to be wrong",
    responses=routing.responses(NotFound),
)
def list_errors(
    robot_id: UUID, reader: ReadDep, _: StaffDep, page: PageDep
) -> PageAnswer[RobotErrorRead]:
    """Role: librarian. Newest first."""
    if reader.execute(queries.robots(robot_id)).one_or_none() is None:
        raise NotFound("There is no such robot.")
    question = ordered(
        queries.errors_of(robot_id),
        page,
        {"created_at": RobotError.created_at},
        default="-created_at",
        tiebreak=RobotError.id,
    )
    return paginate(reader, question, page, RobotErrorRead)
