"""Endpoints: emergency stop and resume."""

from uuid import UUID

from backend.robot import queries
from backend.robot.bridge_protocol import stop_orders
from backend.robot.schemas.emergency_stops import (
    Resumed,
    ResumeRequest,
    StandingRobotRead,
    StopRead,
    StopRequest,
    StopStateRead,
)
from backend.shared.domain.actor import Actor
from backend.shared.errors import NotFound, RobotStopped
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.security.authentication import StaffDep, UnlimitedStaffDep

router = routing.router("/robot", "emergency-stops")


async def _stop(robot_id: UUID | None, actor: Actor, body: StopRequest | None) -> Answer[StopRead]:
    return answer(await stop_orders.stop(robot_id, actor.id, body.reason if body else None))


async def _resume(robot_id: UUID | None, actor: Actor, body: ResumeRequest) -> Answer[Resumed]:
    return answer(Resumed(robots=await stop_orders.resume(robot_id, actor.id, body.reason)))


@router.get("/emergency-stop", summary="Get the emergency stop")
def get_emergency_stop(reader: ReadDep, _: StaffDep) -> Answer[StopStateRead]:
    """Role: librarian. The fleet's latch, and each stopped robot with the proof of its standing."""
    latch = reader.execute(queries.fleet_latch()).one()
    robots = [StandingRobotRead.model_validate(row) for row in reader.execute(queries.stopped())]
    return answer(StopStateRead.model_validate({**latch._asdict(), "robots": robots}))


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
    "/resume/{robot_id}",
    summary="Resume one robot",
    responses=routing.responses(NotFound, RobotStopped),
)
async def resume_robot(
    robot_id: UUID, actor: UnlimitedStaffDep, body: ResumeRequest
) -> Answer[Resumed]:
    """Role: librarian. The robot is sent its task's command again. 409 while all are stopped."""
    return await _resume(robot_id, actor, body)
