"""Endpoints: robots by hand."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.robot import queries
from backend.robot.schemas.robots import Announcement, RobotRead
from backend.robot.service import manual_control
from backend.shared.errors import Conflict, NotFound, RobotStopped, RobotUnavailable
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot/robots", "robots")
_MOVES: dict[str, Any] = {
    "responses": routing.responses(NotFound, Conflict, RobotStopped, RobotUnavailable)
}


@router.put("/{robot_id}/dock", summary="Send a robot to its dock", **_MOVES)
def dock_robot(
    robot_id: UUID, session: SessionDep, actor: StaffDep, _body: EmptyBody | None = None
) -> Answer[RobotRead]:
    """Role: librarian. 409 while it has a task or a command."""
    manual_control.dock(session, robot_id, actor.id)
    return _read(session, robot_id)


@router.put(
    "/{robot_id}/pause",
    summary="Pause a robot",
    responses=routing.responses(NotFound, RobotUnavailable),
)
def pause_robot(
    robot_id: UUID, session: SessionDep, actor: StaffDep, _body: EmptyBody | None = None
) -> Answer[RobotRead]:
    """Role: librarian. It holds where it is and keeps its task. Not an emergency stop."""
    manual_control.pause(session, robot_id, actor.id)
    return _read(session, robot_id)


@router.put("/{robot_id}/resume-task", summary="Let a robot go on", **_MOVES)
def resume_robot_task(
    robot_id: UUID, session: SessionDep, actor: StaffDep, _body: EmptyBody | None = None
) -> Answer[RobotRead]:
    """Role: librarian. After a pause, or after its drive has failed."""
    manual_control.resume_task(session, robot_id, actor.id)
    return _read(session, robot_id)


@router.put("/{robot_id}/announce", summary="Let a robot say something", **_MOVES)
def announce_by_robot(
    robot_id: UUID, body: Announcement, session: SessionDep, actor: StaffDep
) -> Answer[RobotRead]:
    """Role: librarian. A text, and a sound that the robot knows."""
    manual_control.announce(session, robot_id, actor.id, body.text, body.sound)
    return _read(session, robot_id)


def _read(session: Session, robot_id: UUID) -> Answer[RobotRead]:
    session.flush()
    return answer(RobotRead.model_validate(session.execute(queries.robots(robot_id)).one()))
