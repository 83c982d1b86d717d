"""Events and the clock → the robot service's rules."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.robot import commands, connectivity, dispatch, docking
from backend.shared import subscribers, worker
from backend.shared.events import Event
from backend.shared.worker import Delivery


@worker.consumer(subscribers.DISPATCH)
def look_for_work(session: Session, _event: Event, _delivery: Delivery) -> None:
    """Something waits, or someone is free: look for work, whatever it was."""
    dispatch.run(session)


@worker.periodic("robot.dispatch_sweep", timedelta(seconds=5))
def dispatch_sweep(session: Session) -> None:
    dispatch.run(session)


@worker.periodic("robot.leases", timedelta(seconds=1))
def expire_leases(session: Session) -> None:
    commands.expire_leases(session)


@worker.periodic("robot.connectivity", timedelta(seconds=1))
def look_for_silence(session: Session) -> None:
    connectivity.sweep(session)


@worker.periodic("robot.owed_commands", timedelta(seconds=2))
def settle_owed(session: Session) -> None:
    connectivity.settle_owed(session)


@worker.periodic("robot.docking", timedelta(seconds=5))
def send_low_robots_home(session: Session) -> None:
    docking.send_home(session)
