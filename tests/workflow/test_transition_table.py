"""Every cell of state × action × kind of journey, on real rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from backend.shared.domain import invariants, route_graph, workflow
from backend.shared.domain.workflow import Action
from backend.shared.errors import InvalidStateTransition
from backend.shared.models import (
    BookRequest,
    BookReturn,
    Copy,
    DeliveryTask,
    OutboxEvent,
    TaskHistory,
    TaskType,
)
from tests import conftest
from tests.workflow import fixtures as lay_ground
from tests.workflow import specification
from tests.workflow.fixtures import Ground, begin, rolled_back, take

CELLS = [
    pytest.param(kind, state, id=f"{kind.value}-{state}")
    for kind in TaskType
    for state in specification.STATES
    if specification.can_be(kind, state)
]


@pytest.fixture(scope="module")
def ground(servers: dict[str, str], owner: Engine) -> Iterator[Ground]:
    """Laid once: no test here commits anything."""
    with owner.begin() as connection:
        connection.execute(text(conftest._EMPTY))  # noqa: SLF001 (the one definition of empty)
    route_graph.clear_cache()
    yield lay_ground.lay()
    route_graph.clear_cache()


def _lead_to(session: Session, ground: Ground, kind: TaskType, state: str) -> DeliveryTask:
    task = begin(session, ground, kind)
    for action in specification.PATHS[state]:
        take(session, ground, task, action)
    assert workflow.state_name(workflow.state_of(task)) == state
    return task


def _facts(session: Session, task: DeliveryTask) -> dict[str, Any]:
    """Everything that a step might change, as the database holds it."""
    return {
        "state": workflow.state_name(workflow.state_of(task)),
        "custody": session.scalar(select(Copy.custody).where(Copy.id == task.copy_id)),
        "cause": session.scalar(select(BookRequest.status).where(BookRequest.id == task.request_id))
        or session.scalar(select(BookReturn.status).where(BookReturn.id == task.return_id)),
        "version": task.version,
        "attempt": task.attempt,
        "robot": task.assigned_robot_id,
        "history": _last_step(session, task),
        "events": session.scalars(select(OutboxEvent.event_type).order_by(OutboxEvent.id)).all(),
        "commands": session.execute(
            text("SELECT id, status FROM robot_commands ORDER BY id")
        ).all(),
    }


def _last_step(session: Session, task: DeliveryTask) -> list[tuple[Any, ...]]:
    rows = session.execute(
        select(
            TaskHistory.action,
            TaskHistory.from_status,
            TaskHistory.from_stage,
            TaskHistory.to_status,
            TaskHistory.to_stage,
            TaskHistory.reason,
        )
        .where(TaskHistory.task_id == task.id)
        .order_by(TaskHistory.id)
    )
    return [tuple(row) for row in rows]


def _state(status: Any, stage: Any) -> str:
    return str(status) if stage is None else f"{status}/{stage}"


@pytest.mark.parametrize(("kind", "state"), CELLS)
def test_a_journey_takes_the_steps_of_the_table_and_no_others(
    ground: Ground, kind: TaskType, state: str
) -> None:
    """Legal ones lead where it says, with all that moves along; the rest change nothing."""
    legal = specification.leads(kind, state)
    with rolled_back() as session:
        task = _lead_to(session, ground, kind, state)
        before = _facts(session, task)
        for refused in sorted(set(Action) - set(legal)):
            _check_refused(session, ground, task, refused, sorted(legal))
            assert _facts(session, task) == before
        for action, end in legal.items():
            savepoint = session.begin_nested()
            take(session, ground, task, action)
            _check_legal(session, task, before, specification.after(kind, action, end), end, action)
            savepoint.rollback()
            session.refresh(task)


def _check_refused(
    session: Session, ground: Ground, task: DeliveryTask, action: str, legal: list[str]
) -> None:
    with pytest.raises(InvalidStateTransition) as refused:
        take(session, ground, task, action)
    assert refused.value.details == {
        "current": workflow.state_name(workflow.state_of(task)),
        "requested": action,
        "allowed": [each.value for each in Action if each in legal],
    }


def _check_legal(
    session: Session,
    task: DeliveryTask,
    before: dict[str, Any],
    expected: specification.After,
    end: str,
    action: str,
) -> None:
    now = _facts(session, task)
    assert now["state"] == end
    assert now["custody"] == (expected.custody or before["custody"])
    if before["cause"] is not None:
        assert now["cause"] == (expected.cause or before["cause"])
    step = now["history"][-1]
    assert len(now["history"]) == len(before["history"]) + 1
    assert step[0] == action
    assert (_state(*step[1:3]), _state(*step[3:5])) == (before["state"], end)
    assert step[5] == f"{action} in a test"
    assert set(expected.events) <= set(now["events"][len(before["events"]) :])
    assert now["attempt"] == before["attempt"] + (action in {"RELEASE", "RETRY"})
    assert invariants.find_violations(session.connection()) == {}


def test_the_table_says_what_the_specification_says() -> None:
    written = {
        state: {
            action.value: workflow.state_name(steps[workflow_state])
            for action, steps in workflow.TRANSITIONS.items()
            if workflow_state in steps
        }
        for workflow_state in (
            workflow.PENDING,
            workflow.QUEUED,
            workflow.TO_SOURCE,
            workflow.LOADING,
            workflow.TO_DESTINATION,
            workflow.HANDOVER,
            workflow.BRINGING_BACK,
            workflow.COMPLETED,
            workflow.FAILED,
            workflow.CANCELLED,
        )
        for state in [workflow.state_name(workflow_state)]
    }
    assert written == specification.LEADS


def test_a_book_on_its_way_back_is_taken_only_after_the_robot_has_arrived(ground: Ground) -> None:
    with rolled_back() as session:
        task = begin(session, ground, TaskType.STUDENT_DELIVERY)
        for action in ("TAKE", "ASSIGN", "ARRIVE", "LOAD", "BRING_BACK"):
            take(session, ground, task, action)
        with pytest.raises(InvalidStateTransition) as refused:
            take(session, ground, task, "TAKE_BACK")
        assert sorted(refused.value.details["allowed"]) == ["ARRIVE", "FAIL"]


def test_a_failed_journey_does_not_take_its_robot_off_the_next_one(ground: Ground) -> None:
    with rolled_back() as session:
        failed = _lead_to(session, ground, TaskType.STUDENT_DELIVERY, specification.FAILED)
        other = begin_other(session, ground)
        take(session, ground, other, "TAKE")
        take(session, ground, other, "ASSIGN")
        driving = session.execute(text("SELECT id FROM robot_commands WHERE status = 'QUEUED'"))
        command = driving.scalar_one()
        take(session, ground, failed, "RETRY")
        still = session.execute(
            text("SELECT status FROM robot_commands WHERE id = :id"), {"id": command}
        )
        assert still.scalar_one() == "QUEUED"
        assert invariants.find_violations(session.connection()) == {}


def begin_other(session: Session, ground: Ground) -> DeliveryTask:
    """A second journey, of another copy that came in meanwhile."""
    session.add(Copy(book_id=ground.book, barcode="second"))
    session.flush()
    return begin(session, ground, TaskType.INTER_STAFF)


@pytest.mark.parametrize("kind", [TaskType.STUDENT_DELIVERY, TaskType.TRANSFER])
def test_a_retry_after_loading_keeps_the_book_for_the_next_attempt(
    ground: Ground, kind: TaskType
) -> None:
    with rolled_back() as session:
        task = _lead_to(session, ground, kind, specification.TO_DESTINATION)
        take(session, ground, task, "FAIL")
        assert _facts(session, task)["custody"] == "ON_ROBOT"
        take(session, ground, task, "RETRY")
        assert _facts(session, task)["custody"] == "RESERVED"
        assert invariants.find_violations(session.connection()) == {}
