"""The delivery state machine as data: actions, legal transitions, their effects and events.

`TRANSITIONS` maps an action and a state to the next state. `EFFECTS` says what changes with it:
the copy's custody, the request or the return. `backend.shared.domain.workflow` applies them.
"""

from collections.abc import Mapping
from enum import StrEnum

from backend.shared import events
from backend.shared.domain.circulation.custody import CustodyTransition
from backend.shared.domain.task_effects import Effect
from backend.shared.models import RequestStatus, ReturnStatus, Stage, TaskStatus, TaskType

S, G = TaskStatus, Stage
State = tuple[TaskStatus, Stage | None]

PENDING: State = (S.PENDING, None)
QUEUED: State = (S.QUEUED, None)
TO_SOURCE: State = (S.ASSIGNED, G.TO_SOURCE)
LOADING: State = (S.ASSIGNED, G.LOADING)
TO_DESTINATION: State = (S.IN_PROGRESS, G.TO_DESTINATION)
HANDOVER: State = (S.IN_PROGRESS, G.HANDOVER)
BRINGING_BACK: State = (S.IN_PROGRESS, G.BRINGING_BACK)
COMPLETED: State = (S.COMPLETED, None)
FAILED: State = (S.FAILED, None)
CANCELLED: State = (S.CANCELLED, None)


class Action(StrEnum):
    TAKE = "TAKE"  # the dispatcher queues a new task
    ASSIGN = "ASSIGN"  # a robot is assigned
    ARRIVE = "ARRIVE"  # the robot has reached the target of its stage
    LOAD = "LOAD"  # a person confirms that the book is on the robot
    COMPLETE = "COMPLETE"  # the receiver has the book
    RELEASE = "RELEASE"  # the robot is unassigned, the task is queued again
    BRING_BACK = "BRING_BACK"  # cancelled with the book on board
    TAKE_BACK = "TAKE_BACK"  # staff have unloaded the book that was brought back
    CANCEL = "CANCEL"
    FAIL = "FAIL"
    RETRY = "RETRY"


TRANSITIONS: Mapping[Action, Mapping[State, State]] = {
    Action.TAKE: {PENDING: QUEUED},
    Action.ASSIGN: {QUEUED: TO_SOURCE},
    Action.ARRIVE: {
        TO_SOURCE: LOADING,
        TO_DESTINATION: HANDOVER,
        BRINGING_BACK: BRINGING_BACK,
    },
    Action.LOAD: {LOADING: TO_DESTINATION},
    Action.COMPLETE: {HANDOVER: COMPLETED},
    Action.RELEASE: {TO_SOURCE: QUEUED, LOADING: QUEUED},
    Action.BRING_BACK: {TO_DESTINATION: BRINGING_BACK, HANDOVER: BRINGING_BACK},
    Action.TAKE_BACK: {BRINGING_BACK: CANCELLED},
    Action.CANCEL: {
        PENDING: CANCELLED,
        QUEUED: CANCELLED,
        TO_SOURCE: CANCELLED,
        LOADING: CANCELLED,
        FAILED: CANCELLED,
    },
    Action.FAIL: {
        PENDING: FAILED,
        QUEUED: FAILED,
        TO_SOURCE: FAILED,
        LOADING: FAILED,
        TO_DESTINATION: FAILED,
        HANDOVER: FAILED,
        BRINGING_BACK: FAILED,
    },
    Action.RETRY: {FAILED: QUEUED},
}


_DELIVERY = {
    Action.ASSIGN: Effect(request=RequestStatus.APPROVED),
    Action.LOAD: Effect(CustodyTransition.LOAD, RequestStatus.IN_PROGRESS),
    Action.COMPLETE: Effect(CustodyTransition.LEND, RequestStatus.COMPLETED),
    Action.CANCEL: Effect(CustodyTransition.RELEASE, RequestStatus.CANCELLED),
    Action.BRING_BACK: Effect(request=RequestStatus.CANCELLED),
    Action.TAKE_BACK: Effect(CustodyTransition.RELEASE),
    Action.RETRY: Effect(request=RequestStatus.PENDING),
}
_RETURN = {
    Action.ASSIGN: Effect(returned=ReturnStatus.PICKUP_SCHEDULED),
    Action.LOAD: Effect(CustodyTransition.COLLECT, returned=ReturnStatus.PICKED_UP),
    Action.COMPLETE: Effect(CustodyTransition.SHELVE, returned=ReturnStatus.COMPLETED),
    Action.CANCEL: Effect(returned=ReturnStatus.CANCELLED),
    Action.RETRY: Effect(returned=ReturnStatus.PENDING),
}
_STAFF = {
    Action.LOAD: Effect(CustodyTransition.LOAD),
    Action.COMPLETE: Effect(CustodyTransition.KEEP_AT_DESK),
    Action.CANCEL: Effect(CustodyTransition.RELEASE),
    Action.TAKE_BACK: Effect(CustodyTransition.RELEASE),
}
EFFECTS: Mapping[TaskType, Mapping[Action, Effect]] = {
    TaskType.STUDENT_DELIVERY: _DELIVERY,
    TaskType.RETURN_PICKUP: _RETURN,
    TaskType.INTER_STAFF: _STAFF,
    TaskType.WORKSTATION: _STAFF,
    TaskType.TRANSFER: _STAFF,
}
EVENTS: Mapping[tuple[Action, Stage | None], type[events.TaskEvent]] = {
    (Action.TAKE, None): events.TaskQueued,
    (Action.ASSIGN, G.TO_SOURCE): events.TaskAssigned,
    (Action.ARRIVE, G.LOADING): events.TaskLoading,
    (Action.ARRIVE, G.HANDOVER): events.TaskArrived,
    (Action.ARRIVE, G.BRINGING_BACK): events.TaskArrived,
    (Action.LOAD, G.TO_DESTINATION): events.TaskDeparted,
    (Action.COMPLETE, None): events.TaskCompleted,
    (Action.RELEASE, None): events.TaskQueued,
    (Action.BRING_BACK, G.BRINGING_BACK): events.TaskBringingBack,
    (Action.TAKE_BACK, None): events.TaskCancelled,
    (Action.CANCEL, None): events.TaskCancelled,
    (Action.FAIL, None): events.TaskFailed,
    (Action.RETRY, None): events.TaskQueued,
}
# A loaded return goes on to the library in any case.
REFUSED: Mapping[TaskType, frozenset[Action]] = {
    TaskType.RETURN_PICKUP: frozenset({Action.BRING_BACK, Action.TAKE_BACK}),
}
