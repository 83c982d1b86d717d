"""Celery tasks of the delivery service."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.delivery.service import alert_rules, arrivals, command_outcomes, deadlines
from backend.shared.events import CommandFailed, CommandSucceeded, Event
from backend.shared.messaging import inbox, scheduler, subscriptions
from backend.shared.models import CLOSED_STATUSES
from backend.shared.models.base import sql_values

_HAS_OPEN_TASKS = (
    f"EXISTS (SELECT FROM delivery_tasks WHERE status NOT IN {sql_values(CLOSED_STATUSES)})"
)


@inbox.consumer(subscriptions.COMMAND_OUTCOME)
def apply_command_outcome(
    session: Session, event: CommandSucceeded | CommandFailed, _context: inbox.EventContext
) -> None:
    command_outcomes.apply(session, event)


@inbox.consumer(subscriptions.ALERT)
def update_alerts(session: Session, event: Event, context: inbox.EventContext) -> None:
    alert_rules.apply(session, event, stale=context.stale)


@scheduler.periodic("delivery.deadlines", timedelta(seconds=1), _HAS_OPEN_TASKS)
def check_deadlines(session: Session) -> None:
    deadlines.check_all(session)


scheduler.periodic("delivery.arrivals", timedelta(seconds=5), _HAS_OPEN_TASKS)(arrivals.revise_all)
