"""Choose recipients and templates per event; `RULES` is the whole table."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from backend.shared import events
from backend.shared.events import Event, TaskEvent
from backend.shared.models import ImportState, Stage, TaskStatus, TaskType


class Recipients(Enum):
    """STUDENT: whose request or return it is. OWNER: who started the import."""

    STUDENT = "student"
    STAFF = "staff"
    OWNER = "owner"


@dataclass(frozen=True)
class MessageSpec:
    """One template for one group of recipients."""

    recipients: Recipients
    template: str


Rule = Callable[[Any], list[MessageSpec]]


def _student(template: str) -> MessageSpec:
    return MessageSpec(Recipients.STUDENT, template)


def _staff(template: str) -> MessageSpec:
    return MessageSpec(Recipients.STAFF, template)


def _always(spec: MessageSpec) -> Rule:
    return lambda _event: [spec]


def _is_return(task: TaskEvent) -> bool:
    return task.task_type is TaskType.RETURN_PICKUP


def _is_delivery(task: TaskEvent) -> bool:
    return task.task_type is TaskType.STUDENT_DELIVERY


_CANCELLED_BECAUSE = {"NO_SHOW": "request.no_show", "COPY_NOT_FOUND": "request.not_found"}


def _request_cancelled(event: events.RequestCancelled) -> list[MessageSpec]:
    template = _CANCELLED_BECAUSE.get(event.reason or "", "request.cancelled")
    return [_student(template)]


def _assigned(task: TaskEvent) -> list[MessageSpec]:
    if _is_return(task):
        return [_student("return.assigned")]
    return [_student("delivery.assigned")] if _is_delivery(task) else []


def _loading(task: TaskEvent) -> list[MessageSpec]:
    return [_student("return.loading") if _is_return(task) else _staff("desk.loading")]


def _departed(task: TaskEvent) -> list[MessageSpec]:
    """Nobody for a return: `ReturnPickedUp` notifies the student."""
    return [_student("delivery.departed")] if _is_delivery(task) else []


def _arrived(task: TaskEvent) -> list[MessageSpec]:
    if task.stage is Stage.BRINGING_BACK:
        return [_staff("desk.brought_back")]
    return [_student("delivery.arrived") if _is_delivery(task) else _staff("desk.arrived")]


def _reminder(task: TaskEvent) -> list[MessageSpec]:
    if task.status in {TaskStatus.PENDING, TaskStatus.QUEUED}:
        return [_staff("desk.no_robot"), _student("delivery.no_robot")]
    if task.stage is Stage.LOADING:
        spec = _student("return.reminder") if _is_return(task) else _staff("desk.loading_reminder")
    elif task.stage is Stage.BRINGING_BACK:
        spec = _staff("desk.brought_back")
    elif _is_delivery(task):
        spec = _student("delivery.reminder")
    else:
        spec = _staff("desk.arrived_reminder")
    return [spec]


def _stop_requested(event: events.RobotStopRequested) -> list[MessageSpec]:
    fleet = event.robot_id is None
    return [_staff("robot.fleet_stop_requested" if fleet else "robot.stop_requested")]


def _import_finished(event: events.ImportFinished) -> list[MessageSpec]:
    succeeded = event.state == ImportState.SUCCEEDED
    template = "import.succeeded" if succeeded else "import.failed"
    return [MessageSpec(Recipients.OWNER, template)]


RULES: dict[type[Event], Rule] = {
    events.RequestCreated: _always(_student("request.created")),
    events.RequestCancelled: _request_cancelled,
    events.RequestCompleted: _always(_student("request.completed")),
    events.ReturnPickedUp: _always(_student("return.picked_up")),
    events.ReturnCompleted: _always(_student("return.completed")),
    events.TaskAssigned: _assigned,
    events.TaskLoading: _loading,
    events.TaskDeparted: _departed,
    events.TaskArrived: _arrived,
    events.TaskReminder: _reminder,
    events.TaskNeedsAttention: _always(_staff("desk.needs_attention")),
    events.TaskFailed: _always(_staff("desk.failed")),
    events.RobotWentOffline: _always(_staff("robot.offline")),
    events.RobotStopRequested: _stop_requested,
    events.RobotStopUnconfirmed: _always(_staff("robot.stop_unconfirmed")),
    events.WatchdogLate: _always(_staff("system.watchdog_late")),
    events.EventDeadLettered: _always(_staff("system.dead_letter")),
    events.ImportFinished: _import_finished,
    events.DueDatesReminded: _always(_student("circulation.reminded")),
    events.HoldReady: _always(_student("circulation.hold_ready")),
    events.HoldExpired: _always(_student("circulation.hold_expired")),
}


def messages_for(event: Event, *, stale: bool) -> list[MessageSpec]:
    """List the messages of an event.

    None for a task event that a later event of the same task has overtaken: it would send people
    to a place that the robot has left.
    """
    if stale and isinstance(event, TaskEvent):
        return []
    return RULES[type(event)](event)
