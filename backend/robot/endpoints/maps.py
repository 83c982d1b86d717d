"""Endpoints: the map as one document."""

from backend.robot.schemas.maps import MapBody, MapRead, MapVersion
from backend.robot.service import map_editor
from backend.shared.errors import Conflict
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "maps")


@router.get("/map", summary="Get the map")
def get_map(session: SessionDep, _: StaffDep) -> Answer[MapRead]:
    """Role: librarian. Floor plans, waypoints and edges; PUT accepts the document as it is."""
    return answer(map_editor.export(session))


@router.put("/map", summary="Replace the map", responses=routing.responses(Conflict))
def replace_map(body: MapBody, session: SessionDep, actor: StaffDep) -> Answer[MapVersion]:
    """Role: librarian. Waypoints are matched by location code."""
    return answer(MapVersion(version=map_editor.load(session, body, actor.id)))
