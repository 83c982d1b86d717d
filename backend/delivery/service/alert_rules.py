"""Which event raises which alert, and which event clears it; `RULES` is the whole table."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.delivery.service import alerts
from backend.delivery.service.alerts import Fault
from backend.shared import events
from backend.shared.events import Event, TaskEvent
from backend.shared.models import (
    AlertKind,
    AlertSeverity,
    Connectivity,
    DeliveryTask,
    Robot,
    TaskStatus,
)

_OF_TASK = (AlertKind.NO_ROBOT, AlertKind.TASK_NEEDS_ATTENTION, AlertKind.TASK_FAILED)
_SEVERITY_OF_LEVEL = {
    "URGENT": AlertSeverity.WARNING,
    "CRITICAL": AlertSeverity.CRITICAL,
    "FATAL": AlertSeverity.CRITICAL,
}
SUGGESTED_ACTIONS: dict[AlertKind, tuple[str, ...]] = {
    AlertKind.TASK_FAILED: ("RETRY", "CANCEL"),
    AlertKind.TASK_NEEDS_ATTENTION: ("CHECK_ROBOT", "COMPLETE", "FAIL"),
    AlertKind.NO_ROBOT: ("CHECK_FLEET", "CANCEL"),
    AlertKind.REQUEST_PROBLEM: ("CONTACT_MEMBER", "CANCEL"),
    AlertKind.ROBOT_OFFLINE: ("CHECK_ROBOT", "FAIL"),
    AlertKind.ROBOT_ERROR: ("CHECK_ROBOT", "SET_MAINTENANCE"),
    AlertKind.STOP_UNCONFIRMED: ("USE_STOP_BUTTON",),
    AlertKind.EVENT_DEAD: ("ASK_OPERATOR",),
    AlertKind.EVENTS_LATE: ("ASK_OPERATOR",),
}


def task_subject(task_id: UUID) -> str:
    return f"task:{task_id}"


def robot_subject(robot_id: UUID) -> str:
    return f"robot:{robot_id}"


def _task_fault(event: TaskEvent, kind: AlertKind, severity: AlertSeverity, message: str) -> Fault:
    return Fault(
        kind=kind,
        subject=task_subject(event.task_id),
        severity=severity,
        message=message.format(reference=event.reference, title=event.book_title),
        reason=event.reason,
        task_id=event.task_id,
        robot_id=event.robot_id,
    )


def _failed(session: Session, event: events.TaskFailed) -> Iterable[Fault]:
    alerts.clear(session, task_subject(event.task_id), _OF_TASK)
    yield _failure(event)


def _failure(event: events.TaskFailed) -> Fault:
    message = "Delivery {reference} of “{title}” has failed."
    return _task_fault(event, AlertKind.TASK_FAILED, AlertSeverity.CRITICAL, message)


def _record_overtaken(session: Session, event: TaskEvent) -> None:
    """Record a failure that staff have answered before its event came: every one has its alert."""
    if not isinstance(event, events.TaskFailed):
        return
    alerts.raise_alert(session, _failure(event))
    task = session.get(DeliveryTask, event.task_id)
    if task is None or task.status is not TaskStatus.FAILED:
        alerts.clear(session, task_subject(event.task_id), (AlertKind.TASK_FAILED,))


def _needs_attention(session: Session, event: events.TaskNeedsAttention) -> Iterable[Fault]:
    task = session.get(DeliveryTask, event.task_id)
    if task is not None and task.status in {TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS}:
        message = "Delivery {reference} of “{title}” needs a person."
        yield _task_fault(event, AlertKind.TASK_NEEDS_ATTENTION, AlertSeverity.CRITICAL, message)


def _reminded(session: Session, event: events.TaskReminder) -> Iterable[Fault]:
    task = session.get(DeliveryTask, event.task_id)
    if task is not None and event.status is TaskStatus.QUEUED and task.status is event.status:
        message = "No robot is free for delivery {reference} of “{title}”."
        yield _task_fault(event, AlertKind.NO_ROBOT, AlertSeverity.WARNING, message)


def _clear_task(session: Session, event: TaskEvent) -> Iterable[Fault]:
    alerts.clear(session, task_subject(event.task_id), _OF_TASK)
    return ()


def _clear_attention(session: Session, event: TaskEvent) -> Iterable[Fault]:
    kinds = (AlertKind.NO_ROBOT, AlertKind.TASK_NEEDS_ATTENTION)
    alerts.clear(session, task_subject(event.task_id), kinds)
    return ()


def _queued(session: Session, event: events.TaskQueued) -> Iterable[Fault]:
    kinds = (AlertKind.TASK_FAILED, AlertKind.TASK_NEEDS_ATTENTION)
    alerts.clear(session, task_subject(event.task_id), kinds)
    return ()


def _went_offline(session: Session, event: events.RobotWentOffline) -> Iterable[Fault]:
    robot = session.get(Robot, event.robot_id)
    if robot is not None and robot.connectivity is Connectivity.OFFLINE:
        message = f"{event.robot_name} has stopped reporting."
        yield _robot_fault(event, AlertKind.ROBOT_OFFLINE, AlertSeverity.WARNING, message)


def _robot_fault(
    event: events.RobotWentOffline | events.RobotErrorReported | events.OrderedRobot,
    kind: AlertKind,
    severity: AlertSeverity,
    message: str,
) -> Fault:
    return Fault(
        kind=kind,
        subject=robot_subject(event.robot_id),
        severity=severity,
        message=message,
        robot_id=event.robot_id,
    )


def _came_online(session: Session, event: events.RobotCameOnline) -> Iterable[Fault]:
    alerts.clear(session, robot_subject(event.robot_id), [AlertKind.ROBOT_OFFLINE])
    return ()


def _error(_session: Session, event: events.RobotErrorReported) -> Iterable[Fault]:
    severity = _SEVERITY_OF_LEVEL.get(event.level)
    if severity is not None:
        message = f"{event.robot_name} reports {event.error_type}: {event.message}".rstrip(": ")
        yield _robot_fault(event, AlertKind.ROBOT_ERROR, severity, message)


def _freed(session: Session, event: events.RobotFreed) -> Iterable[Fault]:
    alerts.clear(session, robot_subject(event.robot_id), [AlertKind.ROBOT_ERROR])
    return ()


def _unconfirmed(session: Session, event: events.RobotStopUnconfirmed) -> Iterable[Fault]:
    for ordered in event.robots:
        robot = session.get(Robot, ordered.robot_id)
        if robot is not None and robot.stopped_at is not None and robot.motion_stopped_at is None:
            message = f"{ordered.robot_name} has not confirmed that it has stopped."
            yield _robot_fault(ordered, AlertKind.STOP_UNCONFIRMED, AlertSeverity.CRITICAL, message)


def _stop_confirmed(session: Session, event: events.RobotStopConfirmed) -> Iterable[Fault]:
    alerts.clear(session, robot_subject(event.robot_id), [AlertKind.STOP_UNCONFIRMED])
    return ()


def _resumed(session: Session, event: events.RobotResumed) -> Iterable[Fault]:
    for robot in event.robots:
        alerts.clear(session, robot_subject(robot.robot_id), [AlertKind.STOP_UNCONFIRMED])
    return ()


def _dead_letter(_session: Session, event: events.EventDeadLettered) -> Iterable[Fault]:
    message = f"Event {event.event_type} could not be processed."
    yield Fault(AlertKind.EVENT_DEAD, event.event_type, AlertSeverity.CRITICAL, message)


def _late(_session: Session, _event: events.WatchdogLate) -> Iterable[Fault]:
    yield Fault(AlertKind.EVENTS_LATE, "system", AlertSeverity.CRITICAL, "Events are delayed.")


Rule = Callable[[Session, Any], Iterable[Fault]]
RULES: dict[type[Event], Rule] = {
    events.TaskFailed: _failed,
    events.TaskNeedsAttention: _needs_attention,
    events.TaskReminder: _reminded,
    events.TaskQueued: _queued,
    events.TaskAssigned: _clear_attention,
    events.TaskDeparted: _clear_attention,
    events.TaskArrived: _clear_attention,
    events.TaskCompleted: _clear_task,
    events.TaskCancelled: _clear_task,
    events.RobotWentOffline: _went_offline,
    events.RobotCameOnline: _came_online,
    events.RobotErrorReported: _error,
    events.RobotFreed: _freed,
    events.RobotStopUnconfirmed: _unconfirmed,
    events.RobotStopConfirmed: _stop_confirmed,
    events.RobotResumed: _resumed,
    events.EventDeadLettered: _dead_letter,
    events.WatchdogLate: _late,
}


def apply(session: Session, event: Event, *, stale: bool) -> None:
    """Raise or clear alerts after an event; not after one that a later event has overtaken."""
    if stale and isinstance(event, TaskEvent):
        _record_overtaken(session, event)
        return
    for fault in RULES[type(event)](session, event):
        alerts.raise_alert(session, fault)
