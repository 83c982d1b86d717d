"""Emergency stops: latch rows of the fleet and of each robot, which nothing else locks.

A robot's own row, its commands and its events follow a latch later (`robot.service.stop_effects`).
So every rule that sets a robot in motion reads the latch, and a command carries the stop version
at which it was created: it is delivered only while that version is still the robot's.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from backend.shared.infra import clock
from backend.shared.models import FLEET_LATCH, StopLatch

RobotId = InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]


@dataclass(frozen=True, slots=True)
class Latch:
    """The state of one latch: of a robot, or of the fleet."""

    version: int
    stopped: bool
    reason: str | None


class Order(NamedTuple):
    """What a robot's bridge is told: a latch of the robot and that of the fleet together."""

    version: int
    stopped: bool
    reason: str | None


def combine(own: Latch, fleet: Latch) -> Order:
    """Return the order that follows from both latches."""
    stopping = fleet if fleet.stopped else own
    return Order(
        own.version + fleet.version, stopping.stopped, stopping.reason if stopping.stopped else None
    )


def is_stopped(robot_id: RobotId) -> ColumnElement[bool]:
    """Build the condition that the robot or the fleet is stopped."""
    latch = aliased(StopLatch)
    stopped = select(latch.id).where(latch.stopped)
    return or_(*(each.exists() for each in _of_both(stopped, latch.id, robot_id)))


def lifted_at(robot_id: RobotId) -> ColumnElement[Any]:
    """Build when the robot or the fleet was last resumed; null when neither ever was."""
    latch = aliased(StopLatch)
    lifted = select(latch.changed_at).where(~latch.stopped)
    return func.greatest(*(each.scalar_subquery() for each in _of_both(lifted, latch.id, robot_id)))


def version_of(robot_id: RobotId) -> ColumnElement[Any]:
    """Build the robot's stop version: it grows with each stop and resume of it or of the fleet."""
    latch = aliased(StopLatch)
    own, fleet = _of_both(select(latch.version), latch.id, robot_id)
    return func.coalesce(own.scalar_subquery(), 0) + fleet.scalar_subquery()


def _of_both(
    latches: Select[Any], latch_id: InstrumentedAttribute[UUID], robot_id: RobotId
) -> tuple[Select[Any], Select[Any]]:
    """Limit a select to the robot's own latch, and to that of the fleet.

    PostgreSQL finds each by its key, and that of the fleet once for all rows.
    """
    return latches.where(latch_id == robot_id), latches.where(latch_id == FLEET_LATCH)


_STOPPED = (
    select(StopLatch.id)
    .where(
        or_(StopLatch.id == bindparam("robot"), StopLatch.id == FLEET_LATCH),
        StopLatch.stopped,
    )
    .limit(1)
)


_VERSION = select(func.sum(StopLatch.version)).where(
    or_(StopLatch.id == bindparam("robot"), StopLatch.id == FLEET_LATCH)
)
ALL = select(StopLatch.id, StopLatch.version, StopLatch.stopped, StopLatch.reason)


_ITS_LATCHES = ALL.where(or_(StopLatch.id == bindparam("robot"), StopLatch.id == FLEET_LATCH))


def read_order(session: Session, robot_id: UUID) -> Order:
    """Return whether the robot must stand still, and since which version."""
    rows = session.execute(
        _ITS_LATCHES,
        {"robot": robot_id},
    )
    found = {row.id: Latch(row.version, row.stopped, row.reason) for row in rows}
    return combine(found[robot_id], found[FLEET_LATCH])


def read_version(session: Session, robot_id: UUID) -> int:
    """Return the stop version of the robot; of the fleet for FLEET_LATCH."""
    return int(session.execute(_VERSION, {"robot": robot_id}).scalar_one())


def is_robot_stopped(session: Session, robot_id: UUID) -> bool:
    """Return whether the robot or the fleet is stopped."""
    return session.execute(_STOPPED, {"robot": robot_id}).first() is not None


def stop(session: Session, latch_id: UUID, by: UUID, reason: str | None) -> Latch:
    """Stop the robot or the fleet."""
    version = session.execute(
        _change(latch_id, by, reason, stopped=True).returning(StopLatch.version)
    ).scalar_one()
    return Latch(version, stopped=True, reason=reason)


def resume(session: Session, latch_id: UUID, by: UUID, reason: str) -> Latch | None:
    """Lift the stop of the robot or of the fleet; None when it is not stopped."""
    version = session.execute(
        _change(latch_id, by, reason, stopped=False)
        .where(StopLatch.stopped)
        .returning(StopLatch.version)
    ).scalar_one_or_none()
    return None if version is None else Latch(version, stopped=False, reason=reason)


def _change(latch_id: UUID, by: UUID, reason: str | None, *, stopped: bool) -> Update:
    return (
        update(StopLatch)
        .where(StopLatch.id == latch_id)
        .values(
            version=StopLatch.version + 1,
            stopped=stopped,
            changed_at=clock.now(),
            changed_by=by,
            reason=reason,
        )
    )
