"""Endpoints: the map as one document."""

from uuid import UUID

from fastapi import Response

from backend.robot.schemas.maps import EdgeClose, EdgeRead, MapBody, MapRead, MapVersion
from backend.robot.service import edges, map_editor, waypoints
from backend.shared.errors import Conflict, NotFound, StaleVersion
from backend.shared.web import etags, routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "maps")


@router.get("/map", summary="Get the map")
def get_map(session: SessionDep, _: StaffDep, response: Response) -> Answer[MapRead]:
    """Role: librarian. Floor plans, waypoints and edges; PUT accepts the document as it is."""
    document = map_editor.export(session)
    return etags.tagged(response, document, document.version)


@router.put("/map", summary="Replace the map", responses=routing.responses(Conflict, StaleVersion))
def replace_map(
    body: MapBody,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[MapVersion]:
    """Role: librarian. Waypoints are matched by location code."""
    etags.check(if_match, waypoints.lock_map(session))
    version = map_editor.load(session, body, actor.id)
    return etags.tagged(response, MapVersion(version=version), version)


@router.get("/map/export", summary="Export the map", response_model=MapRead)
def export_map(session: SessionDep, _: StaffDep) -> Response:
    """Role: librarian. The map as one file, which `POST /map/import` accepts."""
    document = map_editor.export(session).model_dump_json(by_alias=True)
    name = {"Content-Disposition": 'attachment; filename="luna-map.json"'}
    return Response(document, media_type="application/json", headers=name)


@router.post("/map/import", summary="Import a map", responses=routing.responses(Conflict))
def import_map(body: MapBody, session: SessionDep, actor: StaffDep) -> Answer[MapVersion]:
    """Role: librarian. Replaces the map by an exported file, after checking the whole of it."""
    return answer(MapVersion(version=map_editor.load(session, body, actor.id)))


@router.put(
    "/map/edges/{edge_id}/close", summary="Close an edge", responses=routing.responses(NotFound)
)
def close_edge(
    edge_id: UUID, body: EdgeClose, session: SessionDep, actor: StaffDep
) -> Answer[EdgeRead]:
    """Role: librarian. For a time, with a reason; routes over it are planned anew."""
    edge = edges.close(session, edge_id, body.until, body.reason, actor.id)
    return answer(EdgeRead.model_validate(edge))


@router.put(
    "/map/edges/{edge_id}/open", summary="Open an edge", responses=routing.responses(NotFound)
)
def open_edge(
    edge_id: UUID, session: SessionDep, actor: StaffDep, _body: EmptyBody | None = None
) -> Answer[EdgeRead]:
    """Role: librarian."""
    return answer(EdgeRead.model_validate(edges.open_again(session, edge_id, actor.id)))
