"""Alerts: one row for each fault that is open, claimed by one person, resolved by a person or it.

A fault that is reported again raises the count of its open alert.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain import access, audit
from backend.shared.domain.access import Access
from backend.shared.domain.actor import Actor
from backend.shared.errors import AlreadyClaimed, NotFound
from backend.shared.infra import clock, database, ids
from backend.shared.infra.database import Prepared
from backend.shared.messaging import outbox
from backend.shared.models import Alert, AlertKind, AlertSeverity, User

CLEARED = "CLEARED"  # the resolution of a fault that is gone
_CLEAR = Prepared(
    "clear_alerts",
    """
    UPDATE alerts SET resolved_at = :now, resolution = :resolution, version = version + 1
    WHERE subject = :subject AND kind = ANY(CAST(:kinds AS text[])) AND resolved_at IS NULL
    RETURNING id
    """,
)


@dataclass(frozen=True)
class Fault:
    """What is wrong with what; `subject` with `kind` identifies the fault."""

    kind: AlertKind
    subject: str
    severity: AlertSeverity
    message: str
    reason: str | None = None
    task_id: UUID | None = None
    robot_id: UUID | None = None


def raise_alert(session: Session, fault: Fault) -> Alert:
    """Open an alert, or count one more report of an open one."""
    now = clock.now()
    statement = insert(Alert).values(
        id=ids.uuid7(),
        kind=fault.kind,
        subject=fault.subject,
        severity=fault.severity,
        message=fault.message,
        reason=fault.reason,
        task_id=fault.task_id,
        robot_id=fault.robot_id,
        count=1,
        first_at=now,
        last_at=now,
        version=1,
    )
    latest = statement.excluded
    alert = session.execute(
        statement.on_conflict_do_update(
            index_elements=[Alert.kind, Alert.subject],
            index_where=text("resolved_at IS NULL"),
            set_={
                "count": Alert.count + 1,
                "version": Alert.version + 1,
                "last_at": latest.last_at,
                "severity": latest.severity,
                "message": latest.message,
                "reason": latest.reason,
                "task_id": latest.task_id,
                "robot_id": latest.robot_id,
            },
        ).returning(Alert),
        execution_options={"populate_existing": True},
    ).scalar_one()
    _publish(session, events.AlertRaised, alert)
    return alert


def clear(session: Session, subject: str, kinds: Collection[AlertKind]) -> None:
    """Resolve the open alerts of a fault that is gone."""
    session.flush()
    values = {
        "subject": subject,
        "kinds": [kind.value for kind in kinds],
        "now": clock.now(),
        "resolution": CLEARED,
    }
    for alert_id in _CLEAR.run(session, values).scalars().all():  # usually there is none
        alert = session.get_one(Alert, alert_id, populate_existing=True)
        _publish(session, events.AlertResolved, alert)


def claim(session: Session, alert_id: UUID, actor: Actor) -> Alert:
    """Take an alert; AlreadyClaimed, with the name, when somebody else has it."""
    alert = lock(session, alert_id)
    if alert.claimed_by == actor.id or alert.resolved_at is not None:
        return alert
    ensure_not_claimed(session, alert.claimed_by, actor)
    alert.claimed_by, alert.claimed_at = actor.id, clock.now()
    _audit(session, actor, alert, "alert.claim")
    _publish(session, events.AlertClaimed, alert)
    return alert


def release(session: Session, alert_id: UUID, actor: Actor) -> Alert:
    """Give an alert back; another's claim is released by an administrator only."""
    alert = lock(session, alert_id)
    if alert.claimed_by is None or alert.resolved_at is not None:
        return alert
    ensure_not_claimed(session, alert.claimed_by, actor, Access.CHANGE)
    alert.claimed_by = alert.claimed_at = None
    _audit(session, actor, alert, "alert.release")
    _publish(session, events.AlertClaimed, alert)
    return alert


def resolve(session: Session, alert_id: UUID, actor: Actor, resolution: str | None) -> Alert:
    """Close an alert; AlreadyClaimed for another's claim, unless by an administrator."""
    alert = lock(session, alert_id)
    if alert.resolved_at is not None:
        return alert
    ensure_not_claimed(session, alert.claimed_by, actor, Access.CHANGE)
    alert.resolved_by, alert.resolved_at = actor.id, clock.now()
    alert.resolution = resolution
    _audit(session, actor, alert, "alert.resolve")
    _publish(session, events.AlertResolved, alert)
    return alert


def lock(session: Session, alert_id: UUID) -> Alert:
    """Return the alert, locked; NotFound when there is none."""
    alert = database.row_lock_or_none(session, Alert, alert_id)
    if alert is None:
        raise NotFound("Alert not found.")
    return alert


def ensure_not_claimed(
    session: Session, claimed_by: UUID | None, actor: Actor, who: Access = Access.OWN
) -> None:
    """Raise AlreadyClaimed when somebody else has claimed it; `who` may act on others' claims."""
    if claimed_by is None or access.may(actor, claimed_by, who):
        return
    owner = session.get_one(User, claimed_by)
    name = f"{owner.first_name} {owner.last_name}"
    raise AlreadyClaimed(name=name, claimed_by={"id": str(owner.id), "name": name})


def _audit(session: Session, actor: Actor, alert: Alert, action: str) -> None:
    changes = {"kind": alert.kind, "subject": alert.subject}
    audit.record(
        session, actor_id=actor.id, action=action, resource=("alert", alert.id), changes=changes
    )


def _publish(session: Session, kind: type[events.AlertEvent], alert: Alert) -> None:
    session.flush()
    outbox.publish(
        session,
        kind(
            alert_id=alert.id,
            kind=alert.kind,
            severity=alert.severity,
            message=alert.message,
            task_id=alert.task_id,
            robot_id=alert.robot_id,
            count=alert.count,
            first_at=alert.first_at,
            last_at=alert.last_at,
            claimed_by=alert.claimed_by,
            resolved_at=alert.resolved_at,
        ),
    )
