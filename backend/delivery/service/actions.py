"""The actions that the present state of a task, request or return allows (web.md A5)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from backend.delivery.schemas.actions import TaskActionRead, TaskActionReason
from backend.shared.domain.transitions import REFUSED, TRANSITIONS, Action
from backend.shared.infra import config
from backend.shared.models import (
    CLOSED_STATUSES,
    RequestStatus,
    ReturnStatus,
    Stage,
    TaskStatus,
    TaskType,
)

BEFORE_LOADING = frozenset({TaskStatus.PENDING, TaskStatus.QUEUED, TaskStatus.ASSIGNED})


class TaskState(Protocol):
    """What is read of a row of `queries.tasks`."""

    task_type: TaskType
    status: TaskStatus
    stage: Stage | None
    arrived_at: datetime | None
    claimed_by: dict[str, Any] | None


class RequestState(Protocol):
    """What is read of a row of `queries.requests`."""

    status: RequestStatus
    stage: Stage | None
    extensions: int
    task_status: TaskStatus


class ReturnState(Protocol):
    """What is read of a row of `queries.returns`."""

    status: ReturnStatus
    stage: Stage | None
    task_status: TaskStatus


def _read(names: Iterable[tuple[str, bool]], state: str) -> list[TaskActionRead]:
    reason = TaskActionReason(
        code="INVALID_STATE_TRANSITION", message=f"This is not possible while it is {state}."
    )
    return [
        TaskActionRead(name=name, allowed=allowed, reasons=[] if allowed else [reason])
        for name, allowed in names
    ]


def _state(row: TaskState) -> str:
    return "/".join(part.value for part in (row.status, row.stage) if part is not None)


def _is_legal(row: TaskState, action: Action) -> bool:
    """Whether the transition table has the action for the row's status, stage and task type."""
    refused = REFUSED.get(row.task_type, frozenset())
    return action not in refused and (row.status, row.stage) in TRANSITIONS[action]


def of_task(row: TaskState) -> list[TaskActionRead]:
    """List what staff can do with a task."""
    is_return = row.task_type is TaskType.RETURN_PICKUP
    is_for_student = row.task_type is TaskType.STUDENT_DELIVERY
    unloading = _is_legal(row, Action.TAKE_BACK) and row.arrived_at is not None
    received = _is_legal(row, Action.COMPLETE) and not is_for_student
    before_loading = row.status in BEFORE_LOADING
    return _read(
        [
            ("BOOK_PLACED", _is_legal(row, Action.LOAD) and not is_return),
            ("COMPLETE", received or unloading),
            ("CANCEL", _is_legal(row, Action.CANCEL) or _is_legal(row, Action.BRING_BACK)),
            ("FAIL", _is_legal(row, Action.FAIL)),
            ("RETRY", _is_legal(row, Action.RETRY)),
            ("REASSIGN", _is_legal(row, Action.RELEASE)),
            ("CLAIM", before_loading and row.claimed_by is None),
            ("RELEASE", before_loading and row.claimed_by is not None),
            ("NOT_FOUND", before_loading and not is_return),
            ("PRIORITY", row.status not in CLOSED_STATUSES),
        ],
        _state(row),
    )


def of_request(row: RequestState) -> list[TaskActionRead]:
    """List what the member can do with a request."""
    at_door = row.stage is Stage.HANDOVER
    is_open = row.status not in CLOSED_STATUSES
    more = row.extensions < config.workflow().handover_extensions
    return _read(
        [
            ("COMPLETE", at_door),
            ("CANCEL", is_open),
            ("EXTEND", at_door and more),
            ("CHANGE_PLACE", is_open and row.task_status in BEFORE_LOADING),
            ("REPORT_PROBLEM", True),
        ],
        row.status.value,
    )


def of_return(row: ReturnState) -> list[TaskActionRead]:
    """List what the member can do with a return."""
    return _read(
        [
            ("PICKED_UP", row.stage is Stage.LOADING),
            ("CANCEL", row.task_status in BEFORE_LOADING | {TaskStatus.FAILED}),
        ],
        row.status.value,
    )
