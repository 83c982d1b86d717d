"""Robots as staff know them: registered, given keys, taken out of service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.robot.schemas.bridge import Enrolled, StopOrder
from backend.robot.service import emergency_stop
from backend.shared.domain import audit, commands
from backend.shared.errors import Conflict, Duplicate, NotFound, NotSignedIn
from backend.shared.infra import clock, config, database
from backend.shared.models import EnrollmentCode, Robot, RobotKey, RobotStatus
from backend.shared.web.security import api_keys


def heard_key(robot_id: UUID) -> str:
    """Where Redis keeps when the robot was heard last (seconds since 1970)."""
    return f"robot:{robot_id}:heard"


def register(session: Session, name: str, model: str | None, by: UUID | None) -> Robot:
    """A new robot. While the whole fleet is stopped it is stopped too."""
    taken = session.execute(select(Robot.id).where(Robot.robot_name == name)).scalar_one_or_none()
    if taken is not None:
        raise Duplicate(f"A robot named {name} exists already.")
    robot = Robot(robot_name=name, model=model)
    session.add(robot)
    session.flush()
    emergency_stop.apply_fleet_stop(session, robot)
    audit.record(
        session,
        actor_id=by,
        action="robot.register",
        resource=("robot", robot.id),
        changes={"robot_name": name},
    )
    return robot


def get(session: Session, robot_id: UUID) -> Robot:
    """The robot, locked; NotFound when there is none in use."""
    robot = database.row_lock_or_none(session, Robot, robot_id)
    if robot is None or robot.retired_at is not None:
        raise NotFound("There is no such robot.")
    return robot


def new_key(session: Session, robot_id: UUID, by: UUID | None, *, revoke_now: bool = False) -> str:
    """A new key, shown this once. Earlier ones end after a short overlap, or now."""
    robot = get(session, robot_id)
    key, prefix, key_hash = api_keys.new_robot_key()
    session.execute(
        update(RobotKey)
        .where(RobotKey.robot_id == robot.id, RobotKey.revoked_at.is_(None))
        .values(
            {"revoked_at": clock.now()}
            if revoke_now
            else {"expires_at": func.coalesce(RobotKey.expires_at, _overlap_end())}
        )
    )
    session.add(RobotKey(robot_id=robot.id, prefix=prefix, key_hash=key_hash))
    session.flush()
    audit.record(
        session,
        actor_id=by,
        action="robot.key",
        resource=("robot", robot.id),
        changes={"revoke_now": revoke_now},
    )
    return key


def _overlap_end() -> datetime:
    return clock.now() + config.robots().key_overlap


def new_enrolment_code(session: Session, robot_id: UUID, by: UUID) -> tuple[str, EnrollmentCode]:
    """A code that a bridge exchanges for a key, once, within 15 minutes."""
    robot = get(session, robot_id)
    secret = api_keys.new_secret()
    code = EnrollmentCode(
        robot_id=robot.id,
        code_hash=api_keys.digest(secret),
        expires_at=clock.now() + config.robots().enrolment_life,
    )
    session.add(code)
    session.flush()
    audit.record(
        session,
        actor_id=by,
        action="robot.enrolment_code",
        resource=("robot", robot.id),
        changes={},
    )
    return secret, code


def enrol(
    session: Session, code: str, software_version: str, capabilities: dict[str, Any]
) -> Enrolled:
    """Give a bridge its robot's key for a valid code; NotSignedIn for any other."""
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
        raise NotSignedIn("This enrolment code is not valid (any more).")
    robot = get(session, robot_id)
    robot.software_version, robot.capabilities = software_version or None, capabilities
    return Enrolled(
        robot_id=robot.id, robot_name=robot.robot_name, key=new_key(session, robot.id, None)
    )


def set_maintenance(session: Session, robot_id: UUID, by: UUID, *, maintenance: bool) -> Robot:
    """Take a robot out of service, or put it back; not in the middle of a journey."""
    robot = get(session, robot_id)
    if (robot.status is RobotStatus.MAINTENANCE) is maintenance:
        return robot
    _refuse_while_travelling(session, robot)
    robot.status = RobotStatus.MAINTENANCE if maintenance else RobotStatus.IDLE
    audit.record(
        session,
        actor_id=by,
        action="robot.maintenance",
        resource=("robot", robot.id),
        changes={"maintenance": maintenance},
    )
    return robot


def retire(session: Session, robot_id: UUID, by: UUID) -> None:
    """Take a robot away for good: its keys are void, its history stays."""
    robot = get(session, robot_id)
    _refuse_while_travelling(session, robot)
    robot.retired_at = clock.now()
    commands.void(session, robot)
    session.execute(
        update(RobotKey)
        .where(RobotKey.robot_id == robot.id, RobotKey.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    audit.record(
        session, actor_id=by, action="robot.retire", resource=("robot", robot.id), changes={}
    )


def _refuse_while_travelling(session: Session, robot: Robot) -> None:
    task_id = commands.active_task_id(session, robot.id)
    if task_id is not None:
        raise Conflict("The robot is on a journey. End that first.", task_id=str(task_id))


def stop_order(session: Session, robot_id: UUID) -> StopOrder:
    """Whether the robot is to stand still, and the version of that order."""
    row = session.execute(
        select(Robot.stop_version, Robot.stopped_at, Robot.stop_reason).where(Robot.id == robot_id)
    ).one()
    return StopOrder(
        stop_version=row.stop_version,
        stopped=row.stopped_at is not None,
        reason=row.stop_reason,
    )
