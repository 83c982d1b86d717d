"""What a person can do with a task, request or return now, and why not (web.md A5)."""

from backend.shared.web.schemas import ResponseModel


class TaskActionReason(ResponseModel):
    code: str
    message: str


class TaskActionRead(ResponseModel):
    name: str
    allowed: bool
    reasons: list[TaskActionReason]
