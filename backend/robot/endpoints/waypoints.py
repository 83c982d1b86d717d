"""Endpoints: waypoints."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.orm import Session

from backend.robot import queries
from backend.robot.schemas.waypoints import WaypointBody, WaypointRead
from backend.robot.service import waypoints
from backend.shared.errors import Conflict, NotFound, StaleVersion
from backend.shared.models import Waypoint, WaypointKind
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot/waypoints", "waypoints")


@router.get("", summary="List waypoints")
def list_waypoints(
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    kind: WaypointKind | None = None,
    floor: Annotated[int | None, Query(ge=-20, le=200)] = None,
) -> PageAnswer[WaypointRead]:
    """Role: librarian. Sort by `location_code` (default), `name` or `floor`."""
    statement = queries.waypoints()
    if kind is not None:
        statement = statement.where(Waypoint.kind == kind)
    if floor is not None:
        statement = statement.where(Waypoint.floor == floor)
    columns = {
        "location_code": Waypoint.location_code,
        "name": Waypoint.name,
        "floor": Waypoint.floor,
    }
    statement = ordered(statement, page, columns, default="location_code", tiebreak=Waypoint.id)
    return paginate(reader, statement, page, WaypointRead)


@router.post(
    "",
    summary="Create a waypoint",
    status_code=201,
    response_model=Answer[WaypointRead],
    responses=routing.responses(Conflict),
)
def create_waypoint(
    body: WaypointBody, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian."""
    return once.answer(
        lambda: WaypointRead.model_validate(waypoints.create(session, body, actor.id)),
        location=lambda created: f"/api/v1/robot/waypoints/{created.id}",
    )


@router.get("/{waypoint_id}", summary="Get a waypoint", responses=routing.responses(NotFound))
def get_waypoint(
    waypoint_id: UUID, reader: ReadDep, _: StaffDep, response: Response
) -> Answer[WaypointRead]:
    """Role: librarian. With its `ETag`."""
    row = reader.execute(queries.waypoints().where(Waypoint.id == waypoint_id)).one_or_none()
    if row is None:
        raise NotFound("Waypoint not found.")
    found = WaypointRead.model_validate(row)
    response.headers["ETag"] = etags.etag(found)
    return answer(found)


@router.put(
    "/{waypoint_id}",
    summary="Update a waypoint",
    responses=routing.responses(NotFound, Conflict, StaleVersion),
)
def update_waypoint(
    waypoint_id: UUID,
    body: WaypointBody,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[WaypointRead]:
    """Role: librarian. One that an open task needs keeps its place and kind."""
    _check_match(session, waypoint_id, if_match)
    updated = WaypointRead.model_validate(waypoints.update(session, waypoint_id, body, actor.id))
    response.headers["ETag"] = etags.etag(updated)
    return answer(updated)


@router.delete(
    "/{waypoint_id}",
    summary="Delete a waypoint",
    responses=routing.responses(NotFound, Conflict, StaleVersion),
)
def delete_waypoint(
    waypoint_id: UUID, session: SessionDep, actor: StaffDep, if_match: etags.IfMatch = None
) -> Answer[None]:
    """Role: librarian. 409 while an open task or a copy needs it."""
    _check_match(session, waypoint_id, if_match)
    waypoints.delete(session, waypoint_id, actor.id)
    return answer(None)


def _check_match(session: Session, waypoint_id: UUID, if_match: str | None) -> None:
    if if_match is not None:
        row = waypoints.get(session, waypoint_id)
        etags.check(if_match, WaypointRead.model_validate(row))
