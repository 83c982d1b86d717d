"""The transitions and their effects, written a second time by hand to compare the code with."""

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
TRANSITIONS: dict[str, dict[str, str]] = {
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
# The actions that lead from PENDING to each state.
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


class Effects(NamedTuple):
    """What an action changes; None: unchanged."""

    custody: str | None = None
    request_status: str | None = None
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
    "ASSIGN": Effects(request_status="APPROVED"),
    "LOAD": Effects("ON_ROBOT", "IN_PROGRESS"),
    "COMPLETE": Effects(
        "ON_LOAN", "COMPLETED", ("delivery.request.completed", "circulation.loan.opened")
    ),
    "BRING_BACK": Effects(request_status="CANCELLED", events=("delivery.request.cancelled",)),
    "TAKE_BACK": Effects("ON_SHELF"),
    "CANCEL": Effects("ON_SHELF", "CANCELLED", ("delivery.request.cancelled",)),
    "RETRY": Effects(request_status="PENDING"),
}
_RETURN = {
    "ASSIGN": Effects(request_status="PICKUP_SCHEDULED"),
    "LOAD": Effects("ON_ROBOT", "PICKED_UP", ("delivery.return.picked_up",)),
    "COMPLETE": Effects(
        "ON_SHELF", "COMPLETED", ("delivery.return.completed", "circulation.loan.closed")
    ),
    "CANCEL": Effects(request_status="CANCELLED", events=("delivery.return.cancelled",)),
    "RETRY": Effects(request_status="PENDING"),
}
_STAFF = {
    "LOAD": Effects("ON_ROBOT"),
    "COMPLETE": Effects("AT_DESK"),
    "TAKE_BACK": Effects("ON_SHELF"),
    "CANCEL": Effects("ON_SHELF"),
}
_EFFECTS: dict[str, dict[str, Effects]] = {
    "STUDENT_DELIVERY": _DELIVERY,
    "RETURN_PICKUP": _RETURN,
    "INTER_STAFF": _STAFF,
    "WORKSTATION": _STAFF,
    "TRANSFER": _STAFF,
}


def legal_transitions(task_type: str, state: str) -> dict[str, str]:
    """Map each legal action to its next state; a loaded return can't be brought back."""
    refused = {"BRING_BACK", "TAKE_BACK"} if task_type == "RETURN_PICKUP" else set()
    return {action: end for action, end in TRANSITIONS[state].items() if action not in refused}


def is_possible(task_type: str, state: str) -> bool:
    return not (task_type == "RETURN_PICKUP" and state == BRINGING_BACK)


def expected_effects(task_type: str, action: str, end: str) -> Effects:
    """Return what an action changes, with the task event and the event of the robot's command."""
    arrived = {LOADING: "delivery.task.loading"}.get(end, "delivery.task.arrived")
    events = [arrived if action == "ARRIVE" else _TASK_EVENT[action]]
    if action in {"ASSIGN", "LOAD", "BRING_BACK"}:
        events.append("robot.command.created")
    effects = _EFFECTS[task_type].get(action, Effects())
    return effects._replace(events=(*effects.events, *events))


# robot-protocol.md §3: ACCEPTED, STARTED, PROGRESS…, then one end; UNKNOWN is a start that is lost.
_STARTED = {"STARTED", "UNKNOWN"}
_MAY_FOLLOW = {
    "STARTED": {"ACCEPTED", *_STARTED},
    "PROGRESS": _STARTED,
    "ARRIVED": _STARTED,
    "SUCCEEDED": _STARTED,
}


def may_follow(report: str, status: str) -> bool:
    """Return whether a command to move in this status may be reported so next."""
    return status in _MAY_FOLLOW.get(report, {"LEASED", "ACCEPTED", *_STARTED})
