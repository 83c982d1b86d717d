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
    """A member wants a book brought; a copy is kept for them."""

    TYPE = "delivery.request.created"


class RequestCancelled(RequestEvent):
    """A request is over without the book: called off, or nobody came."""

    TYPE = "delivery.request.cancelled"


class RequestCompleted(RequestEvent):
    """The member has the book."""

    TYPE = "delivery.request.completed"


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
    """A member wants a borrowed book fetched."""

    TYPE = "delivery.return.initiated"


class ReturnPickedUp(ReturnEvent):
    """The robot has the borrowed book; the loan is over for the member."""

    TYPE = "delivery.return.picked_up"


class ReturnCompleted(ReturnEvent):
    """Staff have the fetched book."""

    TYPE = "delivery.return.completed"


class ReturnCancelled(ReturnEvent):
    """A return is called off before the book was fetched."""

    TYPE = "delivery.return.cancelled"


class TaskEvent(RegisteredEvent):
    """Whatever happens to a task tells its whole present state: the last one known wins."""

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
    user_id: UUID | None  # whose request or return it serves
    book_id: UUID
    book_title: str
    copy_id: UUID
    robot_id: UUID | None
    robot_name: str | None
    source: str
    destination: str
    eta: datetime | None
    reason: str | None


class TaskQueued(TaskEvent):
    """A journey waits for a robot."""

    TYPE = "delivery.task.queued"


class TaskAssigned(TaskEvent):
    """A robot drives to where the book is."""

    TYPE = "delivery.task.assigned"


class TaskLoading(TaskEvent):
    """The robot waits for someone to put the book on it."""

    TYPE = "delivery.task.loading"


class TaskDeparted(TaskEvent):
    """The loading is confirmed; the robot drives with the book."""

    TYPE = "delivery.task.departed"


class TaskArrived(TaskEvent):
    """The robot waits for the receiver, or to be unloaded."""

    TYPE = "delivery.task.arrived"


class TaskBringingBack(TaskEvent):
    """The robot brings a book back that it could not hand over."""

    TYPE = "delivery.task.bringing_back"


class TaskCompleted(TaskEvent):
    """The journey has done what it was for."""

    TYPE = "delivery.task.completed"


class TaskFailed(TaskEvent):
    """The journey is given up, with its reason; staff retry or cancel it."""

    TYPE = "delivery.task.failed"


class TaskCancelled(TaskEvent):
    """The journey is called off."""

    TYPE = "delivery.task.cancelled"


class TaskReminder(TaskEvent):
    """Someone is waited for: to load, or to take the book."""

    TYPE = "delivery.task.reminder"


class TaskNeedsAttention(TaskEvent):
    """Staff should look: it waits, or it went wrong."""

    TYPE = "delivery.task.needs_attention"
