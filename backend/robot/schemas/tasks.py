"""Response model of the task queue."""

from uuid import UUID

from backend.shared.models import Priority, Stage, TaskStatus, TaskType, WaitingReason
from backend.shared.web.schemas import ResponseModel, Timestamp


class QueuedTask(ResponseModel):
    id: UUID
    reference: str
    task_type: TaskType
    status: TaskStatus
    stage: Stage | None
    priority: Priority
    robot_id: UUID | None
    robot_name: str | None
    source_location: str
    destination_location: str
    waiting_reason: WaitingReason | None
    eta: Timestamp | None
    created_at: Timestamp
    waiting_seconds: float
