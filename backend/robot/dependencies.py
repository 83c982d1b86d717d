"""Compare a given `If-Match` with the version of the robot that a path names."""

from uuid import UUID

from fastapi import Depends

from backend.robot.service import registry
from backend.shared.web import etags
from backend.shared.web.database_session import SessionDep
from backend.shared.web.etags import IfMatch


def _matching_robot(robot_id: UUID, session: SessionDep, if_match: IfMatch = None) -> None:
    if if_match is not None:
        etags.check(if_match, registry.version(registry.get(session, robot_id)))


MATCHING_ROBOT = Depends(_matching_robot, scope="function")
