"""workflow.md §1–2 written out a second time, by hand: what the table in the code must say."""

from typing import NamedTuple

PENDING, QUEUED = "PENDING", "QUEUED"
TO_SOURCE, LOADING = "ASSIGNED/TO_SOURCE", "ASSIGNED/LOADING"
TO_DESTINATION, HANDOVER = "IN_PROGRESS/TO_DESTINATION", "IN_PROGRESS/HANDOVER"
BRINGING_BACK = "IN_PROGRESS/BRINGING_BACK"
COMPLETED, FAILED, CANCELLED = "COMPLETED", "FAILED", "CANCELLED"
STATES = (
    PENDING,
    QUEUED,
    TO_SOURCE,
    LOADING,
    TO_DESTINATION,
    HANDOVER,
    BRINGING_BACK,
    COMPLETED,
    FAILED,
    CANCELLED,
)
LEADS: dict[str, dict[str, str]] = {
    PENDING: {"TAKE": QUEUED, "CANCEL": CANCELLED, "FAIL": FAILED},
    QUEUED: {"ASSIGN": TO_SOURCE, "CANCEL": CANCELLED, "FAIL": FAILED},
    TO_SOURCE: {"ARRIVE": LOADING, "RELEASE": QUEUED, "CANCEL": CANCELLED, "FAIL": FAILED},
    LOADING: {"LOAD": TO_DESTINATION, "RELEASE": QUEUED, "CANCEL": CANCELLED, "FAIL": FAILED},
    TO_DESTINATION: {"ARRIVE": HANDOVER, "BRING_BACK": BRINGING_BACK, "FAIL": FAILED},
    HANDOVER: {"COMPLETE": COMPLETED, "BRING_BACK": BRINGING_BACK, "FAIL": FAILED},
    BRINGING_BACK: {"ARRIVE": BRINGING_BACK, "TAKE_BACK": CANCELLED, "FAIL": FAILED},
    COMPLETED: {},
    FAILED: {"RETRY": QUEUED, "CANCEL": CANCELLED},
    CANCELLED: {},
}
# How a journey comes to a state.
PATHS: dict[str, list[str]] = {
    PENDING: [],
    QUEUED: ["TAKE"],
    TO_SOURCE: ["TAKE", "ASSIGN"],
    LOADING: ["TAKE", "ASSIGN", "ARRIVE"],
    TO_DESTINATION: ["TAKE", "ASSIGN", "ARRIVE", "LOAD"],
    HANDOVER: ["TAKE", "ASSIGN", "ARRIVE", "LOAD", "ARRIVE"],
    BRINGING_BACK: ["TAKE", "ASSIGN", "ARRIVE", "LOAD", "BRING_BACK", "ARRIVE"],
    COMPLETED: ["TAKE", "ASSIGN", "ARRIVE", "LOAD", "ARRIVE", "COMPLETE"],
    FAILED: ["TAKE", "ASSIGN", "ARRIVE", "FAIL"],
    CANCELLED: ["TAKE", "CANCEL"],
}


class After(NamedTuple):
    """What a step leaves behind; None = as it was."""

    custody: str | None = None
    cause: str | None = None  # the request's or the return's status
    events: tuple[str, ...] = ()


_TASK_EVENT = {
    "TAKE": "delivery.task.queued",
    "ASSIGN": "delivery.task.assigned",
    "LOAD": "delivery.task.departed",
    "COMPLETE": "delivery.task.completed",
    "RELEASE": "delivery.task.queued",
    "BRING_BACK": "delivery.task.bringing_back",
    "TAKE_BACK": "delivery.task.cancelled",
    "CANCEL": "delivery.task.cancelled",
    "FAIL": "delivery.task.failed",
    "RETRY": "delivery.task.queued",
}
_DELIVERY = {
    "ASSIGN": After(cause="APPROVED"),
    "LOAD": After("ON_ROBOT", "IN_PROGRESS"),
    "COMPLETE": After(
        "ON_LOAN", "COMPLETED", ("delivery.request.completed", "circulation.loan.opened")
    ),
    "BRING_BACK": After(cause="CANCELLED", events=("delivery.request.cancelled",)),
    "TAKE_BACK": After("ON_SHELF"),
    "CANCEL": After("ON_SHELF", "CANCELLED", ("delivery.request.cancelled",)),
    "RETRY": After(cause="PENDING"),
}
_RETURN = {
    "ASSIGN": After(cause="PICKUP_SCHEDULED"),
    "LOAD": After("ON_ROBOT", "PICKED_UP", ("delivery.return.picked_up",)),
    "COMPLETE": After(
        "ON_SHELF", "COMPLETED", ("delivery.return.completed", "circulation.loan.closed")
    ),
    "CANCEL": After(cause="CANCELLED", events=("delivery.return.cancelled",)),
    "RETRY": After(cause="PENDING"),
}
_STAFF = {
    "LOAD": After("ON_ROBOT"),
    "COMPLETE": After("ON_SHELF"),
    "TAKE_BACK": After("ON_SHELF"),
    "CANCEL": After("ON_SHELF"),
}
_EFFECTS: dict[str, dict[str, After]] = {
    "STUDENT_DELIVERY": _DELIVERY,
    "RETURN_PICKUP": _RETURN,
    "INTER_STAFF": {**_STAFF, "COMPLETE": After("AT_DESK")},
    "WORKSTATION": _STAFF,
    "TRANSFER": _STAFF,
}


def leads(task_type: str, state: str) -> dict[str, str]:
    """Where each legal action leads; a fetched book can't be brought back."""
    refused = {"BRING_BACK", "TAKE_BACK"} if task_type == "RETURN_PICKUP" else set()
    return {action: end for action, end in LEADS[state].items() if action not in refused}


def can_be(task_type: str, state: str) -> bool:
    return not (task_type == "RETURN_PICKUP" and state == BRINGING_BACK)


def after(task_type: str, action: str, end: str) -> After:
    """What the step leaves behind, its task's own event included."""
    arrived = {LOADING: "delivery.task.loading"}.get(end, "delivery.task.arrived")
    own = arrived if action == "ARRIVE" else _TASK_EVENT[action]
    told = _EFFECTS[task_type].get(action, After())
    return told._replace(events=(*told.events, own))
