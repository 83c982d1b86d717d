"""Requests, returns and the tasks that serve them."""

from datetime import datetime
from uuid import UUID

from backend.shared.events.base import Registered
from backend.shared.models import Priority, Stage, TaskStatus, TaskType


class RequestEvent(Registered):
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
    TYPE = "delivery.request.created"


class RequestCancelled(RequestEvent):
    TYPE = "delivery.request.cancelled"


class RequestCompleted(RequestEvent):
    TYPE = "delivery.request.completed"


class ReturnEvent(Registered):
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
    TYPE = "delivery.return.initiated"


class ReturnPickedUp(ReturnEvent):
    TYPE = "delivery.return.picked_up"


class ReturnCompleted(ReturnEvent):
    TYPE = "delivery.return.completed"


class ReturnCancelled(ReturnEvent):
    TYPE = "delivery.return.cancelled"


class TaskEvent(Registered):
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
    TYPE = "delivery.task.queued"


class TaskAssigned(TaskEvent):
    TYPE = "delivery.task.assigned"


class TaskLoading(TaskEvent):
    TYPE = "delivery.task.loading"


class TaskDeparted(TaskEvent):
    TYPE = "delivery.task.departed"


class TaskArrived(TaskEvent):
    TYPE = "delivery.task.arrived"


class TaskBringingBack(TaskEvent):
    TYPE = "delivery.task.bringing_back"


class TaskCompleted(TaskEvent):
    TYPE = "delivery.task.completed"


class TaskFailed(TaskEvent):
    TYPE = "delivery.task.failed"


class TaskCancelled(TaskEvent):
    TYPE = "delivery.task.cancelled"


class TaskReminder(TaskEvent):
    TYPE = "delivery.task.reminder"


class TaskNeedsAttention(TaskEvent):
    TYPE = "delivery.task.needs_attention"
