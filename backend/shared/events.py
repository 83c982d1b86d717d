"""Every event of the system, in one file.

Names are past tense; the reactions to them are in `subscribers`. An event is published with
`outbox.publish` in the transaction of its change.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from backend.shared.models import Priority, Stage, TaskStatus, TaskType


class Event(BaseModel):
    """Base: what happened (`TYPE`), who says so (`SOURCE`), to what (`AGGREGATE`, its id)."""

    model_config = ConfigDict(frozen=True)

    TYPE: ClassVar[str]
    SOURCE: ClassVar[str]
    AGGREGATE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    def aggregate_id(self) -> UUID:
        """The id of the thing it happened to: the field named after the aggregate."""
        found: UUID = getattr(self, f"{self.AGGREGATE.rsplit('_', maxsplit=1)[-1]}_id")
        return found


BY_TYPE: dict[str, type[Event]] = {}


class _Registered(Event):
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "TYPE" in cls.__dict__:
            BY_TYPE[cls.TYPE] = cls


# --- catalogue -------------------------------------------------------------------------------


class _BookEvent(_Registered):
    SOURCE = "book-service"
    AGGREGATE = "book"
    book_id: UUID
    title: str


class BookAdded(_BookEvent):
    TYPE = "catalog.book.added"


class BookUpdated(_BookEvent):
    TYPE = "catalog.book.updated"


class BookRemoved(_BookEvent):
    TYPE = "catalog.book.removed"


class _ImportEvent(_Registered):
    SOURCE = "book-service"
    AGGREGATE = "import_job"
    job_id: UUID
    state: str
    total: int | None = None
    processed: int = 0
    failed: int = 0
    warnings: int = 0


class ImportQueued(_ImportEvent):
    TYPE = "catalog.import.queued"


class ImportProgressed(_ImportEvent):
    """A batch is done; its consumer does the next."""

    TYPE = "catalog.import.progressed"


class ImportFinished(_ImportEvent):
    TYPE = "catalog.import.finished"


# --- circulation -----------------------------------------------------------------------------


class _LoanEvent(_Registered):
    SOURCE = "book-service"
    AGGREGATE = "loan"
    loan_id: UUID
    user_id: UUID | None
    book_id: UUID
    copy_id: UUID
    book_title: str
    due_at: datetime


class LoanOpened(_LoanEvent):
    TYPE = "circulation.loan.opened"


class LoanClosed(_LoanEvent):
    TYPE = "circulation.loan.closed"


# --- delivery --------------------------------------------------------------------------------


class RequestEvent(_Registered):
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


class ReturnEvent(_Registered):
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


class TaskEvent(_Registered):
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


# --- robots ----------------------------------------------------------------------------------


class _RobotEvent(_Registered):
    SOURCE = "robot-service"
    AGGREGATE = "robot"
    robot_id: UUID
    robot_name: str


class RobotStatusChanged(_RobotEvent):
    TYPE = "robot.status.changed"
    status: str
    connectivity: str
    location: str | None
    battery: float | None


class RobotWentOffline(_RobotEvent):
    TYPE = "robot.went_offline"


class RobotCameOnline(_RobotEvent):
    TYPE = "robot.came_online"


class RobotErrorReported(_RobotEvent):
    TYPE = "robot.error.reported"
    error_type: str
    level: str
    message: str


class RobotStopRequested(_RobotEvent):
    TYPE = "robot.stop.requested"
    stop_version: int
    reason: str | None
    by: UUID


class RobotStopConfirmed(_RobotEvent):
    TYPE = "robot.stop.confirmed"
    stop_version: int


class RobotStopUnconfirmed(_RobotEvent):
    TYPE = "robot.stop.unconfirmed"
    stop_version: int


class RobotResumed(_RobotEvent):
    TYPE = "robot.resumed"
    reason: str
    by: UUID


class _CommandEvent(_Registered):
    SOURCE = "robot-service"
    AGGREGATE = "robot_command"
    command_id: UUID
    robot_id: UUID
    task_id: UUID | None
    command_type: str
    leg: str | None
    result: str | None = None


class CommandCreated(_CommandEvent):
    TYPE = "robot.command.created"


class CommandAccepted(_CommandEvent):
    TYPE = "robot.command.accepted"


class CommandStarted(_CommandEvent):
    TYPE = "robot.command.started"


class CommandSucceeded(_CommandEvent):
    TYPE = "robot.command.succeeded"


class CommandFailed(_CommandEvent):
    TYPE = "robot.command.failed"


# --- accounts --------------------------------------------------------------------------------


class _AccountEvent(_Registered):
    SOURCE = "auth-service"
    AGGREGATE = "user"
    user_id: UUID


class AccountRegistered(_AccountEvent):
    TYPE = "account.registered"
    email: str
    first_name: str


class SessionEnded(_AccountEvent):
    TYPE = "account.session.ended"
    session_id: UUID
    reason: str


# --- the rest --------------------------------------------------------------------------------


class NotificationCreated(_Registered):
    TYPE = "notification.created"
    SOURCE = "notification-service"
    AGGREGATE = "notification"
    notification_id: UUID
    user_id: UUID
    notification_type: str
    title: str
    message: str
    payload: dict[str, Any]
    created_at: datetime


class WatchdogSent(_Registered):
    """A synthetic event that goes round the whole chain."""

    TYPE = "system.watchdog.sent"
    SOURCE = "scheduler"
    AGGREGATE = "watchdog"
    watchdog_id: UUID
    sent_at: datetime
