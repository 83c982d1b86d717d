"""Event handlers and periodic jobs of the robot service."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from backend.robot.bridge_protocol import command_leases, connectivity
from backend.robot.service import dispatch, docking, edges, status_logs
from backend.shared.events import EdgeClosed
from backend.shared.messaging import inbox, scheduler, subscriptions
from backend.shared.messaging.inbox import EventContext, Received
from backend.shared.models import ACTIVE_COMMAND_STATUSES, ACTIVE_TASK_STATUSES, TaskStatus
from backend.shared.models.base import sql_values

_HAS_WAITING_TASKS = f"""EXISTS (
    SELECT FROM delivery_tasks WHERE status IN {sql_values((TaskStatus.PENDING, TaskStatus.QUEUED))}
)"""
_HAS_ACTIVE_TASKS = f"""EXISTS (
    SELECT FROM delivery_tasks WHERE status IN {sql_values(ACTIVE_TASK_STATUSES)}
)"""
_HAS_ACTIVE_COMMANDS = f"""EXISTS (
    SELECT FROM robot_commands WHERE status IN {sql_values(ACTIVE_COMMAND_STATUSES)}
)"""
_HAS_ROBOTS_IN_CONTACT = "EXISTS (SELECT FROM robots WHERE connectivity IN ('ONLINE', 'STALE'))"


@inbox.batch_consumer(subscriptions.DISPATCH, once=True)
def dispatch_robots(session: Session, received: Sequence[Received]) -> None:
    """Assign robots after events that add a waiting task or free a robot."""
    with inbox.processing(subscriptions.DISPATCH, received[-1]):
        dispatch.run(session)


@inbox.consumer(subscriptions.REPLAN)
def replan_routes(session: Session, event: EdgeClosed, _context: EventContext) -> None:
    """Plan the routes that a closed edge interrupts anew."""
    edges.replan(session, event.edge_id)


@scheduler.periodic("robot.dispatch_sweep", timedelta(seconds=5), _HAS_WAITING_TASKS)
def dispatch_sweep(session: Session) -> None:
    """Assign robots whose event was lost."""
    dispatch.run(session)


scheduler.periodic("robot.leases", timedelta(seconds=1), _HAS_ACTIVE_COMMANDS)(
    command_leases.expire_leases
)
scheduler.periodic("robot.connectivity", timedelta(seconds=1), _HAS_ROBOTS_IN_CONTACT)(
    connectivity.sweep
)
scheduler.periodic("robot.pending_commands", timedelta(seconds=2), _HAS_ACTIVE_TASKS)(
    connectivity.issue_pending_commands
)
scheduler.periodic("robot.status_logs", timedelta(minutes=1))(status_logs.sample)
scheduler.periodic("robot.docking", timedelta(seconds=5), _HAS_ROBOTS_IN_CONTACT)(
    docking.dock_low_battery
)
