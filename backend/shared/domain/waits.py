"""How long a robot waits for a person (workflow.md §4)."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func

from backend.shared.domain import stop_latches
from backend.shared.infra import config
from backend.shared.models import DeliveryTask, Stage


def since() -> ColumnElement[datetime]:
    """Build since when a task waits in its stage: at a stop of its robot, since the resume."""
    return func.greatest(
        DeliveryTask.stage_since, stop_latches.lifted_at(DeliveryTask.assigned_robot_id)
    )


def handover_wait(extensions: int) -> timedelta:
    """Return how long a robot waits for the receiver, with the extensions that were granted."""
    settings = config.workflow()
    return settings.handover_timeout + extensions * settings.handover_extension


def until(stage: Stage | None, since: datetime, extensions: int) -> datetime | None:
    """Return until when the robot waits in this stage; None while it drives or has no task."""
    if stage is Stage.LOADING:
        return since + config.workflow().loading_timeout
    return since + handover_wait(extensions) if stage is Stage.HANDOVER else None
