"""Endpoints: waypoints."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.robot import queries
from backend.robot.schemas.waypoints import WaypointBody, WaypointRead
from backend.robot.service import waypoints
from backend.shared.errors import Conflict, NotFound
from backend.shared.models import Waypoint, WaypointKind
from backend.shared.web import routing
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


@router.put(
    "/{waypoint_id}", summary="Update a waypoint", responses=routing.responses(NotFound, Conflict)
)
def update_waypoint(
    waypoint_id: UUID, body: WaypointBody, session: SessionDep, actor: StaffDep
) -> Answer[WaypointRead]:
    """Role: librarian. A waypoint that an open task needs can't be moved."""
    updated = waypoints.update(session, waypoint_id, body, actor.id)
    return answer(WaypointRead.model_validate(updated))


@router.delete(
    "/{waypoint_id}", summary="Delete a waypoint", responses=routing.responses(NotFound, Conflict)
)
def delete_waypoint(waypoint_id: UUID, session: SessionDep, actor: StaffDep) -> Answer[None]:
    """Role: librarian. 409 while an open task needs it."""
    waypoints.delete(session, waypoint_id, actor.id)
    return answer(None)
