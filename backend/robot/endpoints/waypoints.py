"""Endpoints: waypoints and the map."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.robot import queries
from backend.robot.schemas.map import MapBody, MapRead, MapVersion, WaypointBody, WaypointRead
from backend.robot.service import map_editor
from backend.shared.errors import Conflict, NotFound
from backend.shared.models import Waypoint, WaypointKind
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "robot")


@router.get("/waypoints", summary="The places of the map")
def list_waypoints(
    reader: ReadDep,
    _: StaffDep,
    page: PageDep,
    kind: WaypointKind | None = None,
    floor: Annotated[int | None, Query(ge=-20, le=200)] = None,
) -> PageAnswer[WaypointRead]:
    """Role: librarian. Sort by `location_code` (default), `name` or `floor`."""
    question = queries.waypoints()
    if kind is not None:
        question = question.where(Waypoint.kind == kind)
    if floor is not None:
        question = question.where(Waypoint.floor == floor)
    columns = {
        "location_code": Waypoint.location_code,
        "name": Waypoint.name,
        "floor": Waypoint.floor,
    }
    question = ordered(question, page, columns, default="location_code", tiebreak=Waypoint.id)
    return paginate(reader, question, page, WaypointRead)


@router.post(
    "/waypoints",
    summary="Add a place",
    status_code=201,
    response_model=Answer[WaypointRead],
    responses=routing.responses(Conflict),
)
def add_waypoint(
    body: WaypointBody, session: SessionDep, actor: StaffDep, once: IdempotencyDep
) -> Response:
    """Role: librarian."""
    return once.answer(
        lambda: WaypointRead.model_validate(map_editor.add_waypoint(session, body, actor.id)),
        location=lambda made: f"/api/v1/robot/waypoints/{made.id}",
    )


@router.put(
    "/waypoints/{waypoint_id}",
    summary="Change a place",
    responses=routing.responses(NotFound, Conflict),
)
def change_waypoint(
    waypoint_id: UUID, body: WaypointBody, session: SessionDep, actor: StaffDep
) -> Answer[WaypointRead]:
    """Role: librarian. A place that a delivery needs can't be moved."""
    changed = map_editor.change_waypoint(session, waypoint_id, body, actor.id)
    return answer(WaypointRead.model_validate(changed))


@router.delete(
    "/waypoints/{waypoint_id}",
    summary="Take a place out of use",
    responses=routing.responses(NotFound, Conflict),
)
def remove_waypoint(waypoint_id: UUID, session: SessionDep, actor: StaffDep) -> Answer[None]:
    """Role: librarian. 409 while a delivery needs it."""
    map_editor.remove_waypoint(session, waypoint_id, actor.id)
    return answer(None)


@router.get("/map", summary="Floor plans, places and the edges a robot may drive")
def read_map(session: SessionDep, _: StaffDep) -> Answer[MapRead]:
    """Role: librarian. The document can be put back as it is."""
    return answer(map_editor.export(session))


@router.put("/map", summary="Replace the map", responses=routing.responses(Conflict))
def replace_map(body: MapBody, session: SessionDep, actor: StaffDep) -> Answer[MapVersion]:
    """Role: librarian. Places are matched by their location code."""
    return answer(MapVersion(version=map_editor.load(session, body, actor.id)))
