"""Robots for admins: registered, given keys, taken out of service."""

from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from backend.robot import queries
from backend.robot.schemas.robots import (
    EnrolmentCodeRead,
    KeyRead,
    KeyRequest,
    RobotCreate,
    RobotRead,
    RobotUpdate,
)
from backend.robot.service import registry
from backend.shared.errors import Conflict, Duplicate, NotFound
from backend.shared.models import Robot
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.security.authentication import AdminDep

router = routing.router("/robot/robots", "robots")


def _read(session: Session, robot_id: UUID) -> RobotRead:
    session.flush()
    return RobotRead.model_validate(session.execute(queries.robots(robot_id)).one())


@router.get("", summary="All robots in use")
def list_robots(reader: ReadDep, _: AdminDep, page: PageDep) -> PageAnswer[RobotRead]:
    """Role: admin. Sort by `robot_name` (default) or `created_at`."""
    columns = {"robot_name": Robot.robot_name, "created_at": Robot.created_at}
    question = ordered(queries.robots(), page, columns, default="robot_name", tiebreak=Robot.id)
    return paginate(reader, question, page, RobotRead)


@router.post(
    "",
    summary="Register a robot",
    status_code=201,
    response_model=Answer[RobotRead],
    responses=routing.responses(Duplicate),
)
def register(
    body: RobotCreate, session: SessionDep, actor: AdminDep, once: IdempotencyDep
) -> Response:
    """Role: admin. It needs a key (or an enrolment code) before its bridge can speak."""
    return once.answer(
        lambda: _read(
            session, registry.register(session, body.robot_name, body.model, actor.id).id
        ),
        location=lambda made: f"/api/v1/robot/status/{made.id}",
    )


@router.put(
    "/{robot_id}",
    summary="Take a robot out of service, or put it back",
    responses=routing.responses(NotFound, Conflict),
)
def change(
    robot_id: UUID, body: RobotUpdate, session: SessionDep, actor: AdminDep
) -> Answer[RobotRead]:
    """Role: admin. Not in the middle of a journey."""
    registry.set_maintenance(session, robot_id, actor.id, maintenance=body.maintenance)
    return answer(_read(session, robot_id))


@router.delete(
    "/{robot_id}", summary="Retire a robot", responses=routing.responses(NotFound, Conflict)
)
def retire(robot_id: UUID, session: SessionDep, actor: AdminDep) -> Answer[None]:
    """Role: admin. Its keys are void; its history stays."""
    registry.retire(session, robot_id, actor.id)
    return answer(None)


@router.post(
    "/{robot_id}/key",
    summary="A new key, shown this once",
    status_code=201,
    response_model=Answer[KeyRead],
    responses=routing.responses(NotFound),
)
def new_key(
    robot_id: UUID, session: SessionDep, actor: AdminDep, body: KeyRequest | None = None
) -> Answer[KeyRead]:
    """Role: admin. Earlier keys end in ten minutes, or now. Never stored, so never repeated."""
    revoke_now = body is not None and body.revoke_now
    key = registry.new_key(session, robot_id, actor.id, revoke_now=revoke_now)
    return answer(KeyRead(robot_id=robot_id, key=key))


@router.post(
    "/{robot_id}/enrolment-code",
    summary="A code that a bridge exchanges for a key",
    status_code=201,
    response_model=Answer[EnrolmentCodeRead],
    responses=routing.responses(NotFound),
)
def new_code(robot_id: UUID, session: SessionDep, actor: AdminDep) -> Answer[EnrolmentCodeRead]:
    """Role: admin. Valid once, for 15 minutes."""
    secret, code = registry.new_enrolment_code(session, robot_id, actor.id)
    return answer(EnrolmentCodeRead(robot_id=robot_id, code=secret, expires_at=code.expires_at))
