"""Endpoints: the current status of robots."""

from uuid import UUID

from backend.robot import queries
from backend.robot.schemas.robots import RobotRead
from backend.shared.errors import NotFound
from backend.shared.models import Robot, RobotStatus
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "robots")


@router.get("/status", summary="List the status of robots")
def list_robot_status(
    reader: ReadDep, _: StaffDep, page: PageDep, status: RobotStatus | None = None
) -> PageAnswer[RobotRead]:
    """Role: librarian. Sort by `robot_name` (default) or `created_at`."""
    statement = ordered(
        queries.robots(), page, queries.ROBOT_SORT_COLUMNS, default="robot_name", tiebreak=Robot.id
    )
    if status is not None:
        statement = statement.where(Robot.status == status)
    return paginate(reader, statement, page, RobotRead)


@router.get(
    "/status/{robot_id}", summary="Get the status of a robot", responses=routing.responses(NotFound)
)
def get_robot_status(robot_id: UUID, reader: ReadDep, _: StaffDep) -> Answer[RobotRead]:
    """Role: librarian."""
    row = reader.execute(queries.robots(robot_id)).one_or_none()
    if row is None:
        raise NotFound("Robot not found.")
    return answer(RobotRead.model_validate(row))
