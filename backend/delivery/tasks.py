"""Events and the clock → the delivery service's rules."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.delivery.service import command_outcomes, deadlines
from backend.shared.events import CommandFailed, CommandSucceeded
from backend.shared.messaging import inbox, scheduler, subscriptions
from backend.shared.messaging.inbox import EventContext


@inbox.consumer(subscriptions.COMMAND_OUTCOME)
def follow_command(
    session: Session, event: CommandSucceeded | CommandFailed, _delivery: EventContext
) -> None:
    command_outcomes.follow(session, event)


@scheduler.periodic("delivery.deadlines", timedelta(seconds=1))
def look_at_deadlines(session: Session) -> None:
    deadlines.look(session)
