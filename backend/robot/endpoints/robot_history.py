"""Endpoints: what a robot was and reported, by time."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import Connection

from backend.robot import queries
from backend.robot.schemas.robots import RobotErrorRead, StatusLogRead
from backend.shared.errors import NotFound
from backend.shared.models import RobotError, RobotStatusLog
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import PageAnswer
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.schemas import Instant
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot/robots", "robots")
Since = Annotated[Instant | None, Query(alias="from", description="At or after")]
Until = Annotated[Instant | None, Query(alias="to", description="Before")]


def _ensure_exists(reader: Connection, robot_id: UUID) -> None:
    if reader.execute(queries.robots(robot_id)).one_or_none() is None:
        raise NotFound("Robot not found.")


@router.get(
    "/{robot_id}/errors", summary="List errors of a robot", responses=routing.responses(NotFound)
)
def list_robot_errors(
    robot_id: UUID,
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    since: Since = None,
    until: Until = None,
) -> PageAnswer[RobotErrorRead]:
    """Role: librarian. Newest first; battery levels that physics forbids are `BATTERY_JUMP`."""
    _ensure_exists(reader, robot_id)
    in_time = queries.between(RobotError.created_at, since, until)
    columns = {"created_at": RobotError.created_at}
    statement = queries.errors_of(robot_id).where(*in_time)
    statement = ordered(statement, page, columns, default="-created_at", tiebreak=RobotError.id)
    return paginate(reader, statement, page, RobotErrorRead)


@router.get(
    "/{robot_id}/logs", summary="List states of a robot", responses=routing.responses(NotFound)
)
def list_robot_logs(
    robot_id: UUID,
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    since: Since = None,
    until: Until = None,
) -> PageAnswer[StatusLogRead]:
    """Role: librarian. Newest first: each change of its state, and a sample every minute."""
    _ensure_exists(reader, robot_id)
    in_time = queries.between(RobotStatusLog.recorded_at, since, until)
    columns = {"recorded_at": RobotStatusLog.recorded_at}
    statement = queries.status_logs_of(robot_id).where(*in_time)
    statement = ordered(
        statement, page, columns, default="-recorded_at", tiebreak=RobotStatusLog.id
    )
    return paginate(reader, statement, page, StatusLogRead)
