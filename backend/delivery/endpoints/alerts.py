"""Endpoints of `/deliveries/alerts`: what needs a person."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.orm import Session

from backend.delivery import queries
from backend.delivery.dependencies import MATCHING_ALERT
from backend.delivery.schemas.alerts import AlertRead, AlertResolve, AlertState
from backend.delivery.service import alerts, read_models
from backend.shared.errors import AlreadyClaimed, NotFound, StaleVersion
from backend.shared.models import Alert, AlertKind, AlertSeverity
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer
from backend.shared.web.pagination import PageDep, ordered, paginate_rows
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/deliveries/alerts", "alerts")
_CHANGES: dict[str, Any] = {
    "dependencies": [MATCHING_ALERT],
    "responses": routing.responses(NotFound, AlreadyClaimed, StaleVersion),
}


@router.get("", summary="List alerts")
def list_alerts(  # noqa: PLR0913, PLR0917 (one parameter a filter)
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    state: Annotated[AlertState | None, Query(description="All when left out")] = None,
    kind: AlertKind | None = None,
    severity: AlertSeverity | None = None,
    task_id: UUID | None = None,
    robot_id: UUID | None = None,
) -> PageAnswer[AlertRead]:
    """Role: librarian. Latest report first; sort by `last_at`, `first_at` or `severity`."""
    statement = queries.alerts().where(
        *queries.equal(
            (Alert.kind, kind),
            (Alert.severity, severity),
            (Alert.task_id, task_id),
            (Alert.robot_id, robot_id),
        )
    )
    if state is not None:
        is_open = Alert.resolved_at.is_(None)
        statement = statement.where(is_open if state is AlertState.OPEN else ~is_open)
    columns = {"last_at": Alert.last_at, "first_at": Alert.first_at, "severity": Alert.severity}
    statement = ordered(statement, page, columns, default="-last_at", tiebreak=Alert.id)
    return paginate_rows(reader, statement, page, read_models.alert_read)


@router.get("/{alert_id}", summary="Get an alert", responses=routing.responses(NotFound))
def get_alert(
    alert_id: UUID, reader: ReadDep, _: StaffDep, response: Response
) -> Answer[AlertRead]:
    """Role: librarian. With `ETag`."""
    alert = read_models.alert_detail(reader, alert_id)
    return etags.tagged(response, alert, alert.version)


@router.put("/{alert_id}/claim", summary="Claim an alert", **_CHANGES)
def claim_alert(
    alert_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[AlertRead]:
    """Role: librarian. Exclusive: 409 names who has it."""
    alerts.claim(session, alert_id, actor)
    return _tagged(response, session, alert_id)


@router.put("/{alert_id}/release", summary="Release an alert", **_CHANGES)
def release_alert(
    alert_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[AlertRead]:
    """Role: librarian. Gives one's claim back; an admin releases anyone's."""
    alerts.release(session, alert_id, actor)
    return _tagged(response, session, alert_id)


@router.put("/{alert_id}/resolve", summary="Resolve an alert", **_CHANGES)
def resolve_alert(
    alert_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    body: AlertResolve | None = None,
) -> Answer[AlertRead]:
    """Role: librarian. By whoever has claimed it, or an admin; an unclaimed one by anyone."""
    alerts.resolve(session, alert_id, actor, body.resolution if body else None)
    return _tagged(response, session, alert_id)


def _tagged(response: Response, session: Session, alert_id: UUID) -> Answer[AlertRead]:
    session.flush()
    alert = read_models.alert_detail(session, alert_id)
    return etags.tagged(response, alert, alert.version)
