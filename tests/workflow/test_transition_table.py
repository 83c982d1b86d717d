"""Every combination of state, action and task type, on real rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from backend.shared.domain import invariants, route_graph, transitions, workflow
from backend.shared.domain.transitions import Action
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
from tests import emptying
from tests.workflow import specification
from tests.workflow.fixtures import (
    Fixtures,
    apply_action,
    create_fixtures,
    create_task,
    rolled_back,
)

CELLS = [
    pytest.param(kind, state, id=f"{kind.value}-{state}")
    for kind in TaskType
    for state in specification.STATES
    if specification.is_possible(kind, state)
]


@pytest.fixture(scope="module")
def fixtures(servers: dict[str, str], superuser: Engine) -> Iterator[Fixtures]:
    """Committed once: no test here commits anything."""
    emptying.empty(superuser, truncate=True)
    route_graph.clear_cache()
    yield create_fixtures()
    route_graph.clear_cache()


def _create_in_state(
    session: Session, fixtures: Fixtures, kind: TaskType, state: str
) -> DeliveryTask:
    task = create_task(session, fixtures, kind)
    for action in specification.PATHS[state]:
        apply_action(session, fixtures, task, action)
    assert workflow.state_name(workflow.state_of(task)) == state
    return task


def _snapshot(session: Session, task: DeliveryTask) -> dict[str, Any]:
    """Read everything that an action might change from the database."""
    return {
        "state": workflow.state_name(workflow.state_of(task)),
        "custody": session.scalar(select(Copy.custody).where(Copy.id == task.copy_id)),
        "request_status": session.scalar(
            select(BookRequest.status).where(BookRequest.id == task.request_id)
        )
        or session.scalar(select(BookReturn.status).where(BookReturn.id == task.return_id)),
        "version": task.version,
        "attempt": task.attempt,
        "robot": task.assigned_robot_id,
        "history": _history(session, task),
        "events": session.scalars(select(OutboxEvent.event_type).order_by(OutboxEvent.id)).all(),
        "commands": session.execute(
            text("SELECT id, status FROM robot_commands ORDER BY id")
        ).all(),
    }


def _history(session: Session, task: DeliveryTask) -> list[tuple[Any, ...]]:
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
def test_task_accepts_only_the_transitions_of_the_table(
    fixtures: Fixtures, kind: TaskType, state: str
) -> None:
    """Legal actions change the state with all effects; the others change nothing."""
    legal = specification.legal_transitions(kind, state)
    with rolled_back() as session:
        task = _create_in_state(session, fixtures, kind, state)
        before = _snapshot(session, task)
        for refused in sorted(set(Action) - set(legal)):
            _check_refused(session, fixtures, task, refused, sorted(legal))
            assert _snapshot(session, task) == before
        for action, end in legal.items():
            savepoint = session.begin_nested()
            apply_action(session, fixtures, task, action)
            _check_legal(
                session,
                task,
                before,
                specification.expected_effects(kind, action, end),
                end,
                action,
            )
            savepoint.rollback()
            session.refresh(task)


def _check_refused(
    session: Session, fixtures: Fixtures, task: DeliveryTask, action: str, legal: list[str]
) -> None:
    with pytest.raises(InvalidStateTransition) as refused:
        apply_action(session, fixtures, task, action)
    assert refused.value.details == {
        "current": workflow.state_name(workflow.state_of(task)),
        "requested": action,
        "allowed": [each.value for each in Action if each in legal],
    }


def _check_legal(
    session: Session,
    task: DeliveryTask,
    before: dict[str, Any],
    expected: specification.Effects,
    end: str,
    action: str,
) -> None:
    now = _snapshot(session, task)
    assert now["state"] == end
    assert now["custody"] == (expected.custody or before["custody"])
    if before["request_status"] is not None:
        assert now["request_status"] == (expected.request_status or before["request_status"])
    step = now["history"][-1]
    assert len(now["history"]) == len(before["history"]) + 1
    assert step[0] == action
    assert (_state(*step[1:3]), _state(*step[3:5])) == (before["state"], end)
    assert step[5] == f"{action} in a test"
    assert sorted(now["events"][len(before["events"]) :]) == sorted(expected.events)
    assert now["attempt"] == before["attempt"] + (action in {"RELEASE", "RETRY"})
    assert invariants.find_violations(session.connection()) == {}


def test_table_equals_the_specification() -> None:
    coded = {
        state: {
            action.value: workflow.state_name(steps[workflow_state])
            for action, steps in transitions.TRANSITIONS.items()
            if workflow_state in steps
        }
        for workflow_state in (
            transitions.PENDING,
            transitions.QUEUED,
            transitions.TO_SOURCE,
            transitions.LOADING,
            transitions.TO_DESTINATION,
            transitions.HANDOVER,
            transitions.BRINGING_BACK,
            transitions.COMPLETED,
            transitions.FAILED,
            transitions.CANCELLED,
        )
        for state in [workflow.state_name(workflow_state)]
    }
    assert coded == specification.TRANSITIONS


def test_returning_book_is_unloaded_only_after_the_robot_has_arrived(fixtures: Fixtures) -> None:
    with rolled_back() as session:
        task = create_task(session, fixtures, TaskType.STUDENT_DELIVERY)
        for action in ("TAKE", "ASSIGN", "ARRIVE", "LOAD", "BRING_BACK"):
            apply_action(session, fixtures, task, action)
        with pytest.raises(InvalidStateTransition) as refused:
            apply_action(session, fixtures, task, "TAKE_BACK")
        assert sorted(refused.value.details["allowed"]) == ["ARRIVE", "FAIL"]


def test_retry_of_a_failed_task_leaves_the_robot_on_its_next_task(fixtures: Fixtures) -> None:
    with rolled_back() as session:
        failed = _create_in_state(
            session, fixtures, TaskType.STUDENT_DELIVERY, specification.FAILED
        )
        other = create_other_task(session, fixtures)
        apply_action(session, fixtures, other, "TAKE")
        apply_action(session, fixtures, other, "ASSIGN")
        driving = session.execute(text("SELECT id FROM robot_commands WHERE status = 'QUEUED'"))
        command = driving.scalar_one()
        apply_action(session, fixtures, failed, "RETRY")
        still = session.execute(
            text("SELECT status FROM robot_commands WHERE id = :id"), {"id": command}
        )
        assert still.scalar_one() == "QUEUED"
        assert invariants.find_violations(session.connection()) == {}


def create_other_task(session: Session, fixtures: Fixtures) -> DeliveryTask:
    """Create a second task, for another copy of the book."""
    session.add(Copy(book_id=fixtures.book, barcode="second"))
    session.flush()
    return create_task(session, fixtures, TaskType.INTER_STAFF)


@pytest.mark.parametrize("kind", [TaskType.STUDENT_DELIVERY, TaskType.TRANSFER])
def test_retry_after_loading_reserves_the_copy_for_the_next_attempt(
    fixtures: Fixtures, kind: TaskType
) -> None:
    with rolled_back() as session:
        task = _create_in_state(session, fixtures, kind, specification.TO_DESTINATION)
        apply_action(session, fixtures, task, "FAIL")
        assert _snapshot(session, task)["custody"] == "ON_ROBOT"
        apply_action(session, fixtures, task, "RETRY")
        assert _snapshot(session, task)["custody"] == "RESERVED"
        assert invariants.find_violations(session.connection()) == {}
