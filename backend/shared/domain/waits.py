"""How long a robot waits for a person (workflow.md §4)."""

from datetime import datetime, timedelta

from backend.shared.infra import config
from backend.shared.models import Stage


def handover_wait(extensions: int) -> timedelta:
    """Return how long a robot waits for the receiver, with the extensions that were granted."""
    settings = config.workflow()
    return settings.handover_timeout + extensions * settings.handover_extension


def until(stage: Stage | None, since: datetime, extensions: int) -> datetime | None:
    """Return until when the robot waits in this stage; None while it drives or has no task."""
    if stage is Stage.LOADING:
        return since + config.workflow().loading_timeout
    return since + handover_wait(extensions) if stage is Stage.HANDOVER else None
