"""Events and the clock → the robot service's rules."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.robot.bridge_protocol import command_leases, connectivity
from backend.robot.service import dispatch, docking
from backend.shared.events import Event
from backend.shared.messaging import inbox, scheduler, subscriptions
from backend.shared.messaging.inbox import EventContext


@inbox.consumer(subscriptions.DISPATCH)
def look_for_work(session: Session, _event: Event, _delivery: EventContext) -> None:
    """Something waits, or someone is free: look for work, whatever it was."""
    dispatch.run(session)


@scheduler.periodic("robot.dispatch_sweep", timedelta(seconds=5))
def dispatch_sweep(session: Session) -> None:
    dispatch.run(session)


@scheduler.periodic("robot.leases", timedelta(seconds=1))
def expire_leases(session: Session) -> None:
    command_leases.expire_leases(session)


@scheduler.periodic("robot.connectivity", timedelta(seconds=1))
def look_for_silence(session: Session) -> None:
    connectivity.sweep(session)


@scheduler.periodic("robot.owed_commands", timedelta(seconds=2))
def issue_pending_commands(session: Session) -> None:
    connectivity.issue_pending_commands(session)


@scheduler.periodic("robot.docking", timedelta(seconds=5))
def send_low_robots_home(session: Session) -> None:
    docking.dock_low_battery(session)
