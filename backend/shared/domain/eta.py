"""When a book will be there: path length ÷ the robot's own speed, plus the usual loading time."""

import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from backend.shared.domain import route_graph
from backend.shared.infra import clock, config
from backend.shared.models import DeliveryTask, Stage


def estimate(
    session: Session, task: DeliveryTask, pose: dict[str, Any] | None, speed: float | None
) -> datetime | None:
    """The arrival at the destination from where the robot is now; None where it can't be told.

    `pose` in metres on its floor, `speed` in metres a second (the usual one when not measured).
    """
    places = route_graph.current(session)
    here = places.nearest(pose)
    if here is None or task.stage in {Stage.HANDOVER, Stage.BRINGING_BACK}:
        return None
    if task.stage is Stage.TO_DESTINATION:
        metres, loading = places.length(here.id, task.destination_waypoint_id), timedelta()
    else:
        to_source = places.length(here.id, task.source_waypoint_id)
        with_book = places.length(task.source_waypoint_id, task.destination_waypoint_id)
        metres, loading = to_source + with_book, config.workflow().usual_loading_time
    if not math.isfinite(metres):
        return None
    return (
        clock.now() + timedelta(seconds=metres / (speed or config.robots().usual_speed)) + loading
    )
