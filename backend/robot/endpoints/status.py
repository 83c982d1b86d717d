"""Endpoints: the current status of robots."""

from functools import lru_cache
from uuid import UUID

from fastapi import Response

from backend.robot import queries
from backend.robot.bridge_protocol import live_copies
from backend.robot.schemas.robots import RobotRead
from backend.robot.service import registry
from backend.shared.errors import NotFound
from backend.shared.infra.hot_reads import MAX_REMEMBERED, HotRead
from backend.shared.models import RobotStatus
from backend.shared.web import etags, routing
from backend.shared.web.envelope import Answer, PageAnswer, json_response
from backend.shared.web.pagination import PageDep
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/robot", "robots")


@router.get("/status", summary="List the status of robots", response_model=PageAnswer[RobotRead])
async def list_robot_status(
    _: StaffDep, page: PageDep, status: RobotStatus | None = None
) -> Response:
    """Role: librarian. As of the last heartbeats. Sort by `robot_name` (default), `created_at`."""
    found = await queries.ROBOTS.read(page, status=status)
    copies = await live_copies.read([found.read.row(record).id for record in found.page])
    robots = (
        _encode(found.read, record, live) for record, live in zip(found.page, copies, strict=True)
    )
    return found.response(page, robots)


@lru_cache(maxsize=MAX_REMEMBERED)
def _encode(read: HotRead, record: bytes, live: bytes | None) -> bytes:
    robot = live_copies.merge(RobotRead.model_validate(read.row(record)), live)
    return robot.model_dump_json().encode()


@router.get(
    "/status/{robot_id}",
    summary="Get the status of a robot",
    response_model=Answer[RobotRead],
    responses=routing.responses(NotFound),
)
async def get_robot_status(robot_id: UUID, _: StaffDep) -> Response:
    """Role: librarian. The `ETag` is of what administrators change: heartbeats keep it."""
    row = await queries.ROBOT.one_or_none(robot_id=robot_id)
    if row is None:
        raise NotFound("Robot not found.")
    (live,) = await live_copies.read([robot_id])
    robot = live_copies.merge(RobotRead.model_validate(row), live)
    return json_response(robot, ETag=etags.etag(registry.version(robot)))
