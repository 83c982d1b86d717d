"""Endpoints: the current status of robots."""

from uuid import UUID

from fastapi import Response

from backend.robot import queries
from backend.robot.schemas.robots import RobotRead
from backend.shared.errors import NotFound
from backend.shared.models import RobotStatus
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "robots")


@router.get("/status", summary="List the status of robots", response_model=PageAnswer[RobotRead])
async def list_robot_status(
    _: StaffDep, page: PageDep, status: RobotStatus | None = None
) -> Response:
    """Role: librarian. Sort by `robot_name` (default) or `created_at`."""
    return await queries.ROBOTS.page(page, RobotRead.model_validate, status=status)


@router.get(
    "/status/{robot_id}", summary="Get the status of a robot", responses=routing.responses(NotFound)
)
def get_robot_status(robot_id: UUID, reader: ReadDep, _: StaffDep) -> Answer[RobotRead]:
    """Role: librarian."""
    row = reader.execute(queries.robots(robot_id)).one_or_none()
    if row is None:
        raise NotFound("Robot not found.")
    return answer(RobotRead.model_validate(row))
