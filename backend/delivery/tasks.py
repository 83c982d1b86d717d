"""Events and the clock → the delivery service's rules."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.delivery import deadlines, following
from backend.shared import subscribers, worker
from backend.shared.events import CommandFailed, CommandSucceeded
from backend.shared.worker import Delivery


@worker.consumer(subscribers.ARRIVAL)
def follow_command(
    session: Session, event: CommandSucceeded | CommandFailed, _delivery: Delivery
) -> None:
    following.follow(session, event)


@worker.periodic("delivery.deadlines", timedelta(seconds=1))
def look_at_deadlines(session: Session) -> None:
    deadlines.look(session)
