"""Requests, returns and the tasks that serve them."""

from datetime import datetime
from uuid import UUID

from backend.shared.events.base import RegisteredEvent
from backend.shared.models import Priority, Stage, TaskStatus, TaskType


class RequestEvent(RegisteredEvent):
    SOURCE = "delivery-service"
    AGGREGATE = "request"
    request_id: UUID
    task_id: UUID
    user_id: UUID
    book_id: UUID
    book_title: str
    location: str
    status: str
    reason: str | None = None


class RequestCreated(RequestEvent):
    """A member requested a book; a copy is reserved."""

    TYPE = "delivery.request.created"


class RequestCancelled(RequestEvent):
    """A request ended without a hand-over: cancelled, or nobody received the book."""

    TYPE = "delivery.request.cancelled"


class RequestCompleted(RequestEvent):
    """The member received the book."""

    TYPE = "delivery.request.completed"


class RequestPlaceChanged(RequestEvent):
    """The member chose another place before the robot left with the book."""

    TYPE = "delivery.request.place_changed"


class ReturnEvent(RegisteredEvent):
    SOURCE = "delivery-service"
    AGGREGATE = "return"
    return_id: UUID
    task_id: UUID
    user_id: UUID
    book_id: UUID
    book_title: str
    location: str
    status: str
    reason: str | None = None


class ReturnInitiated(ReturnEvent):
    """A member requested the pickup of a borrowed book."""

    TYPE = "delivery.return.initiated"


class ReturnPickedUp(ReturnEvent):
    """The borrowed book is on the robot; the loan ended for the member."""

    TYPE = "delivery.return.picked_up"


class ReturnCompleted(ReturnEvent):
    """Staff received the returned book."""

    TYPE = "delivery.return.completed"


class ReturnCancelled(ReturnEvent):
    """A return was cancelled before the pickup."""

    TYPE = "delivery.return.cancelled"


class TaskEvent(RegisteredEvent):
    """An event of a task with its whole present state: consumers use the latest one."""

    SOURCE = "delivery-service"
    AGGREGATE = "delivery_task"
    task_id: UUID
    reference: str
    task_type: TaskType
    status: TaskStatus
    stage: Stage | None
    priority: Priority
    attempt: int
    request_id: UUID | None
    return_id: UUID | None
    user_id: UUID | None  # owner of the request or return
    book_id: UUID
    book_title: str
    copy_id: UUID
    robot_id: UUID | None
    robot_name: str | None
    source: str
    destination: str
    eta: datetime | None
    reason: str | None
    claimed_by: UUID | None = None  # who of the staff prepares it


class TaskQueued(TaskEvent):
    """A task waits for a robot."""

    TYPE = "delivery.task.queued"


class TaskAssigned(TaskEvent):
    """A robot was assigned and drives to the source."""

    TYPE = "delivery.task.assigned"


class TaskLoading(TaskEvent):
    """The robot arrived at the source and waits to be loaded."""

    TYPE = "delivery.task.loading"


class TaskDeparted(TaskEvent):
    """The loading was confirmed; the robot drives to the destination."""

    TYPE = "delivery.task.departed"


class TaskArrived(TaskEvent):
    """The robot arrived and waits for the receiver, or to be unloaded."""

    TYPE = "delivery.task.arrived"


class TaskBringingBack(TaskEvent):
    """The robot brings back a book that was not handed over."""

    TYPE = "delivery.task.bringing_back"


class TaskCompleted(TaskEvent):
    """The task was completed."""

    TYPE = "delivery.task.completed"


class TaskFailed(TaskEvent):
    """The task failed, with its reason; staff can retry or cancel it."""

    TYPE = "delivery.task.failed"


class TaskCancelled(TaskEvent):
    """The task was cancelled."""

    TYPE = "delivery.task.cancelled"


class TaskReminder(TaskEvent):
    """The robot waits for a person to load it or to take the book."""

    TYPE = "delivery.task.reminder"


class TaskNeedsAttention(TaskEvent):
    """The task requires the attention of staff; see the reason."""

    TYPE = "delivery.task.needs_attention"


class TaskClaimed(TaskEvent):
    """A member of staff took the work of preparing the task, or gave it back."""

    TYPE = "delivery.task.claimed"


class TaskCopyChanged(TaskEvent):
    """The reserved copy was not on its shelf; the task continues with another one."""

    TYPE = "delivery.task.copy_changed"


class TaskExtended(TaskEvent):
    """The robot waits longer for the receiver."""

    TYPE = "delivery.task.extended"
