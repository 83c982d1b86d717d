"""Endpoints: emergency stop and resume."""

from uuid import UUID

from backend.robot.bridge_protocol import heartbeats
from backend.robot.schemas.emergency_stops import Resumed, ResumeRequest, StopRead, StopRequest
from backend.robot.service import emergency_stop
from backend.shared.domain.actor import Actor
from backend.shared.errors import NotFound
from backend.shared.infra import async_database
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.security.authentication import UnlimitedStaffDep

router = routing.router("/robot", "emergency-stops")


async def _stop(robot_id: UUID | None, actor: Actor, body: StopRequest | None) -> Answer[StopRead]:
    reason = body.reason if body else None
    return answer(await async_database.run(emergency_stop.stop, robot_id, actor.id, reason))


async def _resume(robot_id: UUID | None, actor: Actor, body: ResumeRequest) -> Answer[Resumed]:
    resumed = await async_database.run(emergency_stop.resume, robot_id, actor.id, body.reason)
    for resumed_id in resumed:
        await async_database.run(heartbeats.issue_pending_command, resumed_id)
    return answer(Resumed(robots=resumed))


@router.post("/emergency-stop", summary="Stop all robots")
async def stop_all_robots(
    actor: UnlimitedStaffDep, body: StopRequest | None = None
) -> Answer[StopRead]:
    """Role: librarian. Binds robots registered later too. Never replaces the hardware button."""
    return await _stop(None, actor, body)


@router.post(
    "/emergency-stop/{robot_id}", summary="Stop one robot", responses=routing.responses(NotFound)
)
async def stop_robot(
    robot_id: UUID, actor: UnlimitedStaffDep, body: StopRequest | None = None
) -> Answer[StopRead]:
    """Role: librarian. Supplements the robot's hardware button, never replaces it."""
    return await _stop(robot_id, actor, body)


@router.post("/resume", summary="Resume all robots")
async def resume_all_robots(actor: UnlimitedStaffDep, body: ResumeRequest) -> Answer[Resumed]:
    """Role: librarian. Robots that were stopped one by one stay stopped: resume each of them."""
    return await _resume(None, actor, body)


@router.post(
    "/resume/{robot_id}", summary="Resume one robot", responses=routing.responses(NotFound)
)
async def resume_robot(
    robot_id: UUID, actor: UnlimitedStaffDep, body: ResumeRequest
) -> Answer[Resumed]:
    """Role: librarian. The robot is sent its task's command again."""
    return await _resume(robot_id, actor, body)
