"""Endpoint: heartbeats of robots, the most frequent request of all."""

from fastapi import Request
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from backend.robot.bridge_protocol import receive_heartbeat
from backend.robot.schemas.bridges import Heartbeat, HeartbeatAnswer
from backend.shared.errors import StaleEpoch
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer, json_response
from backend.shared.web.routing import LunaRoute
from backend.shared.web.security.authentication import ROBOTS, RobotDep

_MAX_LEAN_BODY = 64 * 1024  # bytes; a longer body is read under the limits of every route


class _HeartbeatRoute(LunaRoute):
    """Answer an ordinary heartbeat without FastAPI's parsing, which costs more than the rest.

    Whatever is not a valid heartbeat goes to the route itself, which answers with the error.
    """

    is_direct = True

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        length = request.headers.get("content-length", "")
        is_json = request.headers.get("content-type", "") == "application/json"
        if not is_json or not length.isdecimal() or int(length) > _MAX_LEAN_BODY:
            await self._handle_fully(scope, receive, send)
            return
        robot = await ROBOTS.authorize(request)
        body = await request.body()
        try:
            beat = Heartbeat.model_validate_json(body)
        except ValidationError:
            await self._handle_fully(scope, _received(body), send)
            return
        response = json_response(await receive_heartbeat.receive(robot.robot_id, beat))
        await response(scope, receive, send)

    async def _handle_fully(self, scope: Scope, receive: Receive, send: Send) -> None:
        await AsyncExitStackMiddleware(super().handle)(scope, receive, send)


def _received(body: bytes) -> Receive:
    """Return what receives a body that has been read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


router = routing.router("/robot/bridge", "bridges")
router.route_class = _HeartbeatRoute


@router.post("/heartbeat", summary="Record a heartbeat", responses=routing.responses(StaleEpoch))
async def record_heartbeat(body: Heartbeat, robot: RobotDep) -> Answer[HeartbeatAnswer]:
    """Role: robot. The response carries the stop version, for bridges whose polls are stuck."""
    return answer(await receive_heartbeat.receive(robot.robot_id, body))
