"""Arrival times: path length ÷ the robot's measured speed, plus the usual loading time."""

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
    """Estimate the arrival at the destination; None when it is unknown or behind the task.

    `pose` in metres on its floor, `speed` in metres per second (the usual one when not measured).
    """
    graph = route_graph.current(session)
    here = graph.nearest(pose)
    if here is None or task.stage in {Stage.HANDOVER, Stage.BRINGING_BACK}:
        return None
    if task.stage is Stage.TO_DESTINATION:
        metres, loading = graph.length(here.id, task.destination_waypoint_id), timedelta()
    else:
        to_source = graph.length(here.id, task.source_waypoint_id)
        with_book = graph.length(task.source_waypoint_id, task.destination_waypoint_id)
        metres, loading = to_source + with_book, config.workflow().usual_loading_time
    if not math.isfinite(metres):
        return None
    return (
        clock.now() + timedelta(seconds=metres / (speed or config.robots().usual_speed)) + loading
    )
