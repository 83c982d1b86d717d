"""Endpoints: robots, their keys, enrollment codes and errors."""

from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from backend.robot import queries
from backend.robot.dependencies import MATCHING_ROBOT
from backend.robot.schemas.robots import (
    EnrollmentCodeRead,
    KeyRead,
    KeyRequest,
    RobotCreate,
    RobotRead,
    RobotUpdate,
)
from backend.robot.service import registry
from backend.shared.errors import Conflict, Duplicate, NotFound, StaleVersion
from backend.shared.models import Robot
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import EncryptedIdempotencyDep, IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.security.authentication import AdminDep

router = routing.router("/robot/robots", "robots")


def _read(session: Session, robot_id: UUID) -> RobotRead:
    session.flush()
    return RobotRead.model_validate(session.execute(queries.robots(robot_id)).one())


@router.get("", summary="List robots")
def list_robots(reader: ReadDep, _: AdminDep, page: PageDep) -> PageAnswer[RobotRead]:
    """Role: admin. Sort by `robot_name` (default) or `created_at`."""
    statement = ordered(
        queries.robots(), page, queries.ROBOT_SORT_COLUMNS, default="robot_name", tiebreak=Robot.id
    )
    return paginate(reader, statement, page, RobotRead)


@router.post(
    "",
    summary="Register a robot",
    status_code=201,
    response_model=Answer[RobotRead],
    responses=routing.responses(Duplicate),
)
def register_robot(
    body: RobotCreate, session: SessionDep, actor: AdminDep, once: IdempotencyDep
) -> Response:
    """Role: admin. Its bridge needs a key or an enrollment code before it can connect."""
    return once.answer(
        lambda: _read(
            session, registry.register(session, body.robot_name, body.model, actor.id).id
        ),
        location=lambda created: f"/api/v1/robot/status/{created.id}",
    )


@router.put(
    "/{robot_id}",
    summary="Set maintenance mode of a robot",
    dependencies=[MATCHING_ROBOT],
    responses=routing.responses(NotFound, Conflict, StaleVersion),
)
def update_robot(
    robot_id: UUID, body: RobotUpdate, session: SessionDep, actor: AdminDep, response: Response
) -> Answer[RobotRead]:
    """Role: admin. 409 while the robot has a task."""
    registry.set_maintenance(session, robot_id, actor.id, maintenance=body.maintenance)
    robot = _read(session, robot_id)
    return etags.tagged(response, robot, registry.version(robot))


@router.delete(
    "/{robot_id}",
    summary="Retire a robot",
    dependencies=[MATCHING_ROBOT],
    responses=routing.responses(NotFound, Conflict, StaleVersion),
)
def retire_robot(robot_id: UUID, session: SessionDep, actor: AdminDep) -> Answer[None]:
    """Role: admin. Its keys are revoked; its history is kept."""
    registry.retire(session, robot_id, actor.id)
    return answer(None)


@router.post(
    "/{robot_id}/key",
    summary="Create a robot key",
    status_code=201,
    response_model=Answer[KeyRead],
    responses=routing.responses(NotFound),
)
def create_robot_key(
    robot_id: UUID,
    session: SessionDep,
    actor: AdminDep,
    once: EncryptedIdempotencyDep,
    body: KeyRequest | None = None,
) -> Response:
    """Role: admin. Shown once: it is stored hashed. Earlier keys expire in ten minutes."""
    revoke_now = body is not None and body.revoke_now

    def create() -> KeyRead:
        key = registry.new_key(session, robot_id, actor.id, revoke_now=revoke_now)
        return KeyRead(robot_id=robot_id, key=key)

    return once.answer(create)


@router.post(
    "/{robot_id}/enrolment-code",
    summary="Create an enrollment code",
    status_code=201,
    response_model=Answer[EnrollmentCodeRead],
    responses=routing.responses(NotFound),
)
def create_enrollment_code(
    robot_id: UUID, session: SessionDep, actor: AdminDep, once: EncryptedIdempotencyDep
) -> Response:
    """Role: admin. A bridge exchanges it for a key, once, within 15 minutes."""

    def create() -> EnrollmentCodeRead:
        secret, code = registry.new_enrollment_code(session, robot_id, actor.id)
        return EnrollmentCodeRead(robot_id=robot_id, code=secret, expires_at=code.expires_at)

    return once.answer(create)
