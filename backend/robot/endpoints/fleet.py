"""Robots for staff: what they do, their map, and stopping them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.robot import queries
from backend.robot.bridge_protocol import heartbeats
from backend.robot.schemas.emergency_stop import Resumed, ResumeRequest, StopRead, StopRequest
from backend.robot.schemas.map import MapBody, MapRead, MapVersion, WaypointBody, WaypointRead
from backend.robot.schemas.robots import QueuedTask, RobotErrorRead, RobotRead, seconds_since
from backend.robot.service import emergency_stop, map_editor
from backend.shared.errors import Conflict, NotFound
from backend.shared.infra import async_database, clock
from backend.shared.infra.database import ReadDep, SessionDep
from backend.shared.models import Robot, RobotError, RobotStatus, Waypoint, WaypointKind
from backend.shared.web import app
from backend.shared.web.authentication import FastStaffDep, StaffDep
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, page_of, paginate
from backend.shared.web.schemas import Answer, PageAnswer, answer

router = app.router("/robot", "robot")


@router.get("/status", summary="What each robot does now")
def list_status(
    reader: ReadDep, _: StaffDep, page: PageDep, status: RobotStatus | None = None
) -> PageAnswer[RobotRead]:
    """Role: librarian. Sort by `robot_name` (default) or `created_at`."""
    question = queries.robots()
    if status is not None:
        question = question.where(Robot.status == status)
    columns = {"robot_name": Robot.robot_name, "created_at": Robot.created_at}
    question = ordered(question, page, columns, default="robot_name", tiebreak=Robot.id)
    return paginate(reader, question, page, RobotRead)


@router.get(
    "/status/{robot_id}", summary="What one robot does now", responses=app.responses(NotFound)
)
def read_status(robot_id: UUID, reader: ReadDep, _: StaffDep) -> Answer[RobotRead]:
    """Role: librarian."""
    row = reader.execute(queries.robots(robot_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such robot.")
    return answer(RobotRead.model_validate(row))


@router.get("/tasks", summary="The queue in the order it will be served, and what is under way")
def list_tasks(reader: ReadDep, _: StaffDep, page: PageDep) -> PageAnswer[QueuedTask]:
    """Role: librarian."""
    rows = reader.execute(queries.queue()).all()
    now = clock.now()
    chosen = rows[page.offset : page.offset + page.limit]
    items = [
        QueuedTask.model_validate(
            {**row._mapping, "waiting_seconds": seconds_since(row.created_at, now)}  # noqa: SLF001 (a row's public mapping)
        )
        for row in chosen
    ]
    return page_of(items, page, len(rows))


@router.get(
    "/robots/{robot_id}/errors",
    summary="What a robot has reported to be wrong",
    responses=app.responses(NotFound),
)
def list_errors(
    robot_id: UUID, reader: ReadDep, _: StaffDep, page: PageDep
) -> PageAnswer[RobotErrorRead]:
    """Role: librarian. Newest first."""
    if reader.execute(queries.robots(robot_id)).one_or_none() is None:
        raise NotFound("There is no such robot.")
    question = ordered(
        queries.errors_of(robot_id),
        page,
        {"created_at": RobotError.created_at},
        default="-created_at",
        tiebreak=RobotError.id,
    )
    return paginate(reader, question, page, RobotErrorRead)


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
    responses=app.responses(NotFound),
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
    "/resume/{robot_id}", summary="Lift the stop of one robot", responses=app.responses(NotFound)
)
async def resume_one(robot_id: UUID, actor: FastStaffDep, body: ResumeRequest) -> Answer[Resumed]:
    """Role: librarian. The robot is told again where its journey leads."""
    lifted = await async_database.run(emergency_stop.resume, robot_id, actor.id, body.reason)
    await _tell_again(lifted)
    return answer(Resumed(robots=lifted))


async def _tell_again(robot_ids: list[UUID]) -> None:
    for robot_id in robot_ids:
        await async_database.run(heartbeats.settle_owed, robot_id)


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
    responses=app.responses(Conflict),
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
    responses=app.responses(NotFound, Conflict),
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
    responses=app.responses(NotFound, Conflict),
)
def remove_waypoint(waypoint_id: UUID, session: SessionDep, actor: StaffDep) -> Answer[None]:
    """Role: librarian. 409 while a delivery needs it."""
    map_editor.remove_waypoint(session, waypoint_id, actor.id)
    return answer(None)


@router.get("/map", summary="Floor plans, places and the edges a robot may drive")
def read_map(session: SessionDep, _: StaffDep) -> Answer[MapRead]:
    """Role: librarian. The document can be put back as it is."""
    return answer(map_editor.export(session))


@router.put("/map", summary="Replace the map", responses=app.responses(Conflict))
def replace_map(body: MapBody, session: SessionDep, actor: StaffDep) -> Answer[MapVersion]:
    """Role: librarian. Places are matched by their location code."""
    return answer(MapVersion(version=map_editor.load(session, body, actor.id)))
