"""Endpoints: the map as one document."""

from fastapi import Response

from backend.robot.schemas.maps import MapBody, MapRead, MapVersion
from backend.robot.service import map_editor
from backend.shared.errors import Conflict, StaleVersion
from backend.shared.web import etags, routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer
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
    etags.check(if_match, map_editor.lock_version(session))
    version = map_editor.load(session, body, actor.id)
    return etags.tagged(response, MapVersion(version=version), version)
