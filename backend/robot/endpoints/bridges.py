"""Endpoints for bridges: enrollment, session, commands and stop; all asynchronous."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.robot.bridge_protocol import (
    bridge_sessions,
    command_leases,
    command_reports,
    stop_orders,
)
from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
from backend.robot.bridge_protocol.long_poll import LONG_POLLS, stop_key
from backend.robot.schemas.bridges import (
    MAX_WAIT,
    CommandRead,
    CommandReportBody,
    Enroll,
    Enrolled,
    OpenSession,
    ReportAnswer,
    SessionOpened,
    StopOrder,
    StopVersion,
)
from backend.robot.schemas.emergency_stops import StopAnswered
from backend.robot.service import registry
from backend.shared.errors import Conflict, LeaseLost, NotFound, NotSignedIn, StaleEpoch
from backend.shared.infra import async_database
from backend.shared.messaging import channels
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer, json_response
from backend.shared.web.security.authentication import RobotDep

router = routing.router("/robot/bridge", "bridges")
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait")]


@router.post(
    "/enroll",
    summary="Enroll a bridge",
    responses=routing.responses(NotSignedIn, NotFound, Conflict),
)
async def enroll_bridge(body: Enroll) -> Answer[Enrolled]:
    """Role: none; the one-time code, valid for 15 minutes, is the proof. The key is shown once."""
    enrolled = await async_database.run(
        registry.enroll, body.code, body.software_version, body.capabilities
    )
    return answer(enrolled)


@router.post("/session", summary="Open a session")
async def open_bridge_session(body: OpenSession, robot: RobotDep) -> Answer[SessionOpened]:
    """Role: robot. Raises the epoch: every call of an older session is refused from now on."""
    opened = await async_database.run(
        bridge_sessions.open_session, robot.robot_id, body.boot_id, body.capabilities
    )
    SNAPSHOT.forget_robot(robot.robot_id)
    return answer(opened)


@router.get(
    "/commands/next",
    summary="Get the next command",
    response_model=Answer[CommandRead | None],
    responses=routing.responses(StaleEpoch),
)
async def get_next_command(
    robot: RobotDep, epoch: Annotated[int, Query(ge=0)], wait: Wait = MAX_WAIT
) -> Response:
    """Role: robot. Leases the command with a token that only grows; null when the wait ends."""

    async def lease() -> CommandRead | None:
        if wait > 0 and await SNAPSHOT.has_no_command(robot.robot_id, epoch):
            return None
        command = await async_database.run(command_leases.lease_next, robot.robot_id, epoch)
        return CommandRead.model_validate(command) if command is not None else None

    channel = channels.command_channel(robot.robot_id)
    return json_response(await LONG_POLLS.wait_for(channel, wait, lease) or b"null")


@router.post(
    "/commands/{command_id}/events",
    summary="Report on a command",
    responses=routing.responses(LeaseLost, Conflict, NotFound),
)
async def report_command(
    command_id: UUID, body: CommandReportBody, robot: RobotDep
) -> Answer[ReportAnswer]:
    """Role: robot. A repeated report gets the first response again."""
    recorded = await async_database.run(
        command_reports.record_report, robot.robot_id, command_id, body
    )
    return answer(ReportAnswer.model_validate(recorded, from_attributes=False))


@router.get("/stop", summary="Wait for a stop or a resume", response_model=Answer[StopOrder | None])
async def wait_for_stop(
    robot: RobotDep, after: Annotated[int, Query(ge=0)] = 0, wait: Wait = MAX_WAIT
) -> Response:
    """Role: robot. Responds at once when the current stop version is above `after`."""

    async def newer_order() -> StopOrder | None:
        await SNAPSHOT.ensure_fresh()
        order = SNAPSHOT.order_for(robot.robot_id)
        if order.version <= after:
            return None
        return StopOrder(stop_version=order.version, stopped=order.stopped, reason=order.reason)

    order = await LONG_POLLS.wait_for(stop_key(robot.robot_id), wait, newer_order)
    return json_response(order or b"null")


@router.post("/stop/events", summary="Confirm a stop")
async def confirm_stop(body: StopAnswered, robot: RobotDep) -> Answer[StopVersion]:
    """Role: robot. RECEIVED first, then MOTION_STOPPED once odometry reports standstill."""
    version = await stop_orders.confirm(robot.robot_id, body.stop_version, body.type)
    return answer(StopVersion(stop_version=version))
