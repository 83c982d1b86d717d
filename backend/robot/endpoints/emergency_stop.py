"""Endpoints: emergency stop and resume."""

from uuid import UUID

from backend.robot.bridge_protocol import heartbeats
from backend.robot.schemas.emergency_stop import Resumed, ResumeRequest, StopRead, StopRequest
from backend.robot.service import emergency_stop
from backend.shared.errors import NotFound
from backend.shared.infra import async_database
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.security.authentication import FastStaffDep

router = routing.router("/robot", "robot")


@router.post("/emergency-stop", summary="Stop every robot at once, those that come later too")
async def stop_all(actor: FastStaffDep, body: StopRequest | None = None) -> Answer[StopRead]:
    """Role: librarian. Supplements the robot's own button, never replaces it."""
    outcome = await async_database.run(
        emergency_stop.stop, None, actor.id, body.reason if body else None
    )
    return answer(StopRead.model_validate(outcome))


@router.post(
    "/emergency-stop/{robot_id}",
    summary="Stop one robot at once",
    responses=routing.responses(NotFound),
)
async def stop_one(
    robot_id: UUID, actor: FastStaffDep, body: StopRequest | None = None
) -> Answer[StopRead]:
    """Role: librarian. Supplements the robot's own button, never replaces it."""
    outcome = await async_database.run(
        emergency_stop.stop, robot_id, actor.id, body.reason if body else None
    )
    return answer(StopRead.model_validate(outcome))


@router.post("/resume", summary="Lift the stop of the fleet")
async def resume_all(actor: FastStaffDep, body: ResumeRequest) -> Answer[Resumed]:
    """Role: librarian. Robots that were stopped one by one stay stopped: resume each by itself."""
    lifted = await async_database.run(emergency_stop.resume, None, actor.id, body.reason)
    await _tell_again(lifted)
    return answer(Resumed(robots=lifted))


@router.post(
    "/resume/{robot_id}",
    summary="Lift the stop of one robot",
    responses=routing.responses(NotFound),
)
async def resume_one(robot_id: UUID, actor: FastStaffDep, body: ResumeRequest) -> Answer[Resumed]:
    """Role: librarian. The robot is told again where its journey leads."""
    lifted = await async_database.run(emergency_stop.resume, robot_id, actor.id, body.reason)
    await _tell_again(lifted)
    return answer(Resumed(robots=lifted))


async def _tell_again(robot_ids: list[UUID]) -> None:
    for robot_id in robot_ids:
        await async_database.run(heartbeats.issue_pending_command, robot_id)
