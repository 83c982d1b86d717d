"""Events and the clock → the delivery service's rules."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.delivery.service import command_outcomes, deadlines
from backend.shared.events import CommandFailed, CommandSucceeded
from backend.shared.messaging import celery_app, subscriptions
from backend.shared.messaging.celery_app import EventContext


@celery_app.consumer(subscriptions.ARRIVAL)
def follow_command(
    session: Session, event: CommandSucceeded | CommandFailed, _delivery: EventContext
) -> None:
    command_outcomes.follow(session, event)


@celery_app.periodic("delivery.deadlines", timedelta(seconds=1))
def look_at_deadlines(session: Session) -> None:
    deadlines.look(session)
