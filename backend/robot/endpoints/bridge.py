"""The robot's own side: `/api/v1/robot/bridge/*`. All of it runs on the asynchronous edge."""

import asyncio
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query

from backend.robot.bridge_protocol import bridge_sessions, command_leases, heartbeats
from backend.robot.bridge_protocol.long_poll import POLLS
from backend.robot.schemas.bridge import (
    MAX_WAIT,
    CommandRead,
    CommandReportBody,
    Enrol,
    Enrolled,
    Heartbeat,
    HeartbeatAnswer,
    OpenSession,
    ReportAnswer,
    SessionOpened,
    StopOrder,
    StopVersion,
)
from backend.robot.schemas.emergency_stop import StopAnswered
from backend.robot.service import emergency_stop, registry
from backend.shared.errors import Conflict, LeaseLost, NotFound, NotSignedIn, StaleEpoch
from backend.shared.infra import async_database, cache, clock, commit_hooks, config, redis
from backend.shared.messaging import channels, realtime
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.security.authentication import RobotDep

router = routing.router("/robot/bridge", "bridge")
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for something")]
_LIVE_LIFE = timedelta(seconds=5)
_HEARD_LIFE = timedelta(minutes=2)
_POLL_AFTER_MS = 0


@router.post(
    "/enroll",
    summary="Exchange a one-time code for the robot's key",
    responses=routing.responses(NotSignedIn),
)
async def enroll(body: Enrol) -> Answer[Enrolled]:
    """Role: none; the code, valid once for 15 minutes, is the proof. The key is shown this once."""
    enrolled = await async_database.run(
        registry.enrol, body.code, body.software_version, body.capabilities
    )
    return answer(enrolled)


@router.post("/session", summary="Begin a session: the newest one alone may drive the robot")
async def open_session(body: OpenSession, robot: RobotDep) -> Answer[SessionOpened]:
    """Role: robot. Raises the epoch; every call of an older session is refused from now on."""
    opened = await async_database.run(bridge_sessions.open_session, robot.robot_id, body.boot_id)
    settings = config.robots()
    return answer(
        SessionOpened(
            robot_id=opened.robot_id,
            epoch=opened.epoch,
            heartbeat_interval=settings.heartbeat_interval.total_seconds(),
            offline_after=settings.offline_after.total_seconds(),
            server_time=clock.now(),
            map_version=opened.map_version,
        )
    )


@router.post(
    "/heartbeat", summary="Report pose, battery and health", responses=routing.responses(StaleEpoch)
)
async def heartbeat(body: Heartbeat, robot: RobotDep) -> Answer[HeartbeatAnswer]:
    """Role: robot. The answer tells of a stop even to a bridge whose polls are stuck."""
    heard = await async_database.run(
        heartbeats.record_heartbeat, robot.robot_id, body, redis_is_up=redis.is_up()
    )
    if heard.has_unknown:
        await async_database.run(heartbeats.resolve_unknown_command, robot.robot_id, body)
    if heard.came_online:
        await async_database.run(heartbeats.issue_pending_command, robot.robot_id)
    await _show(robot.robot_id, heard)
    return answer(
        HeartbeatAnswer(
            stop_version=heard.stop_version,
            desired=heard.desired,
            commands_waiting=heard.commands_waiting,
            poll_after_ms=_POLL_AFTER_MS,
        )
    )


async def _show(robot_id: UUID, heard: heartbeats.HeartbeatResult) -> None:
    """The live copy: for status, for the sweep that looks for silent robots, for who watches."""
    if not redis.is_up():
        return
    shown = ["robots", f"robot:{robot_id}"]
    if heard.request_id is not None:
        shown.append(f"request:{heard.request_id}")
    if heard.return_id is not None:
        shown.append(f"return:{heard.return_id}")
    with redis.guarded():
        pipeline = redis.async_client().pipeline(transaction=False)
        pipeline.set(cache.robot_key(robot_id), heartbeats.live_bytes(heard), ex=_LIVE_LIFE)
        pipeline.set(registry.heard_key(robot_id), str(clock.now().timestamp()), ex=_HEARD_LIFE)
        position = realtime.position_update(shown, heard.live)
        assert isinstance(position, commit_hooks.Publish)
        pipeline.publish(position.channel, position.body)
        await pipeline.execute()


@router.get(
    "/commands/next",
    summary="The next command, waited for up to 25 s",
    responses=routing.responses(StaleEpoch),
)
async def next_command(
    robot: RobotDep, epoch: Annotated[int, Query(ge=0)], wait: Wait = MAX_WAIT
) -> Answer[CommandRead | None]:
    """Role: robot. Leased with a token that only grows; null when the wait ends."""
    channel = channels.command_channel(robot.robot_id)
    until = asyncio.get_running_loop().time() + wait
    with POLLS.waiting(channel) as woken:
        while True:
            woken.clear()
            command = await async_database.run(command_leases.lease_next, robot.robot_id, epoch)
            if command is not None:
                return answer(CommandRead.model_validate(command))
            if not await POLLS.wait(woken, until):
                return answer(None)


@router.post(
    "/commands/{command_id}/events",
    summary="Report what became of a command",
    responses=routing.responses(LeaseLost, Conflict, NotFound),
)
async def report(
    command_id: UUID, body: CommandReportBody, robot: RobotDep
) -> Answer[ReportAnswer]:
    """Role: robot. The same report again gets the first answer again."""
    told = await async_database.run(command_leases.report, robot.robot_id, command_id, body)
    return answer(ReportAnswer.model_validate(told, from_attributes=False))


@router.get("/stop", summary="Wait for an emergency stop, or for its end")
async def wait_for_stop(
    robot: RobotDep, after: Annotated[int, Query(ge=0)] = 0, wait: Wait = MAX_WAIT
) -> Answer[StopOrder | None]:
    """Role: robot. Answers at once when the version in force is above `after`."""
    channel = channels.stop_channel(robot.robot_id)
    until = asyncio.get_running_loop().time() + wait
    with POLLS.waiting(channel) as woken:
        while True:
            woken.clear()
            order = await async_database.run(registry.stop_order, robot.robot_id)
            if order.stop_version > after:
                return answer(order)
            if not await POLLS.wait(woken, until):
                return answer(None)


@router.post("/stop/events", summary="Answer a stop: received, then motion stopped")
async def answer_stop(body: StopAnswered, robot: RobotDep) -> Answer[StopVersion]:
    """Role: robot. MOTION_STOPPED comes from odometry, never from the request alone."""
    version = await async_database.run(
        emergency_stop.confirm, robot.robot_id, body.stop_version, body.type
    )
    return answer(StopVersion(stop_version=version))
