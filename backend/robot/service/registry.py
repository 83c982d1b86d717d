"""The registry of robots: registration, keys, enrollment, maintenance and retirement."""

from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.robot.schemas.bridges import Enrolled
from backend.robot.service import stop_effects
from backend.shared.domain import audit, commands
from backend.shared.errors import Conflict, Duplicate, NotFound, NotSignedIn
from backend.shared.events import RobotFreed
from backend.shared.infra import clock, config, database
from backend.shared.messaging import outbox
from backend.shared.models import EnrollmentCode, Robot, RobotKey, RobotStatus
from backend.shared.web.security import api_keys


def register(session: Session, name: str, model: str | None, by: UUID | None) -> Robot:
    """Register a robot, stopped if the fleet is; Duplicate when the name is taken."""
    taken = session.execute(select(Robot.id).where(Robot.robot_name == name)).scalar_one_or_none()
    if taken is not None:
        raise Duplicate(f"A robot named {name} exists already.")
    robot = Robot(robot_name=name, model=model)
    session.add(robot)
    session.flush()
    stop_effects.follow_latches(session)
    _audit(session, by, "robot.register", robot, {"robot_name": name})
    return robot


def _audit(
    session: Session, by: UUID | None, action: str, robot: Robot, changes: dict[str, Any]
) -> None:
    audit.record(session, actor_id=by, action=action, resource=("robot", robot.id), changes=changes)


def get(session: Session, robot_id: UUID) -> Robot:
    """The robot, locked; NotFound when it does not exist or is retired."""
    robot = database.row_lock_or_none(session, Robot, robot_id)
    if robot is None or robot.retired_at is not None:
        raise NotFound("Robot not found.")
    return robot


class Administered(Protocol):
    """What administrators change of a robot."""

    @property
    def robot_name(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def status(self) -> RobotStatus: ...


def version(robot: Administered) -> str:
    """Return the version of what administrators change; heartbeats leave it as it is."""
    in_maintenance = robot.status is RobotStatus.MAINTENANCE
    return api_keys.digest(f"{robot.robot_name} {robot.model} {in_maintenance}")[:16]


def new_key(session: Session, robot_id: UUID, by: UUID | None, *, revoke_now: bool = False) -> str:
    """Create a key. Earlier ones expire after a short overlap, or are revoked now."""
    robot = get(session, robot_id)
    key, prefix, key_hash = api_keys.new_robot_key()
    overlap_end = clock.now() + config.robots().key_overlap
    session.execute(
        update(RobotKey)
        .where(RobotKey.robot_id == robot.id, RobotKey.revoked_at.is_(None))
        .values(
            {"revoked_at": clock.now()}
            if revoke_now
            else {"expires_at": func.coalesce(RobotKey.expires_at, overlap_end)}
        )
    )
    session.add(RobotKey(robot_id=robot.id, prefix=prefix, key_hash=key_hash))
    session.flush()
    _audit(session, by, "robot.key", robot, {"revoke_now": revoke_now})
    return key


def new_enrollment_code(session: Session, robot_id: UUID, by: UUID) -> tuple[str, EnrollmentCode]:
    """Create a code that a bridge exchanges for a key, once, within 15 minutes."""
    robot = get(session, robot_id)
    secret = api_keys.new_secret()
    code = EnrollmentCode(
        robot_id=robot.id,
        code_hash=api_keys.digest(secret),
        expires_at=clock.now() + config.robots().enrolment_life,
    )
    session.add(code)
    session.flush()
    _audit(session, by, "robot.enrolment_code", robot, {})
    return secret, code


def enroll(
    session: Session, code: str, software_version: str, capabilities: dict[str, Any]
) -> Enrolled:
    """Exchange a valid code for a new key of its robot; NotSignedIn for any other code."""
    robot_id = session.execute(
        update(EnrollmentCode)
        .where(
            EnrollmentCode.code_hash == api_keys.digest(code),
            EnrollmentCode.used_at.is_(None),
            EnrollmentCode.expires_at > clock.now(),
        )
        .values(used_at=clock.now())
        .returning(EnrollmentCode.robot_id)
    ).scalar_one_or_none()
    if robot_id is None:
        raise NotSignedIn(
            "The enrollment code is unknown, used or expired. Ask an admin for a new one."
        )
    robot = get(session, robot_id)
    robot.software_version, robot.capabilities = software_version or None, capabilities
    return Enrolled(
        robot_id=robot.id, robot_name=robot.robot_name, key=new_key(session, robot.id, None)
    )


def set_maintenance(session: Session, robot_id: UUID, by: UUID, *, maintenance: bool) -> Robot:
    """Take a robot out of service, or put it back; Conflict while it has a task."""
    robot = get(session, robot_id)
    if (robot.status is RobotStatus.MAINTENANCE) is maintenance:
        return robot
    _ensure_no_task(session, robot)
    robot.status = RobotStatus.MAINTENANCE if maintenance else RobotStatus.IDLE
    if maintenance:
        commands.void(session, robot)
    else:
        outbox.publish(session, RobotFreed(robot_id=robot.id, robot_name=robot.robot_name))
    _audit(session, by, "robot.maintenance", robot, {"maintenance": maintenance})
    return robot


def retire(session: Session, robot_id: UUID, by: UUID) -> None:
    """Retire a robot for good: revoke its keys, keep its history."""
    robot = get(session, robot_id)
    _ensure_no_task(session, robot)
    robot.retired_at = clock.now()
    commands.void(session, robot)
    session.execute(
        update(RobotKey)
        .where(RobotKey.robot_id == robot.id, RobotKey.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    _audit(session, by, "robot.retire", robot, {})


def _ensure_no_task(session: Session, robot: Robot) -> None:
    task_id = commands.active_task_id(session, robot.id)
    if task_id is not None:
        raise Conflict(
            "The robot has a delivery task. Complete or cancel it first.", task_id=str(task_id)
        )
