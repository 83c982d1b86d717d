"""Which copy of a title a request reserves: one that is free, fit and can be carried."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from tests import event_runner
from tests.factories import catalogue, users
from tests.scenario import Scenario, code_of

_COPIES = text("SELECT id FROM copies WHERE book_id = :book ORDER BY id")
_LOCK = text("SELECT FROM copies WHERE id = :id FOR UPDATE")


def _copies(owner: Engine, scenario: Scenario) -> list[UUID]:
    with owner.connect() as connection:
        return list(connection.execute(_COPIES, {"book": scenario.book}).scalars())


def _change(owner: Engine, copy: UUID, values: str) -> None:
    with owner.begin() as connection:
        _change_in(connection, copy, values)


def _change_in(connection: Connection, copy: UUID, values: str) -> None:
    connection.execute(text(f"UPDATE copies SET {values} WHERE id = :id"), {"id": copy})  # noqa: S608 (constants of this module)


def _reserved(answer: Any) -> UUID:
    return UUID(answer.json()["data"]["copy_id"])


def _keep_for_student(scenario: Scenario, copies: int = 1) -> None:
    """Lend all copies; of those that come back, the first is kept for the student."""
    body = {"book_id": str(scenario.book)}
    loans = []
    for _ in range(copies):
        lent = {**body, "user_id": str(users.student().id)}
        made = scenario.call(scenario.librarian, "POST", "/loans", 201, json=lent)
        loans.append(made.json()["data"]["id"])
    scenario.call(scenario.student, "POST", "/holds", 201, json=body)
    for loan in loans:
        scenario.call(scenario.librarian, "PUT", f"/loans/{loan}/return", 200, json={})


@pytest.mark.parametrize("values", ["robot_transportable = false", "condition = 'DAMAGED'"])
def test_copy_that_cannot_be_sent_is_left(scenario: Scenario, owner: Engine, values: str) -> None:
    scenario.book = catalogue.add_book("The Dispossessed", copies=2)
    unfit, fit = _copies(owner, scenario)
    _change(owner, unfit, values)
    assert _reserved(scenario.request_delivery()) == fit
    scenario.student = users.student()
    assert code_of(scenario.request_delivery(expect=409)) == "BOOK_NOT_AVAILABLE"


def test_copy_that_is_locked_is_passed_over(scenario: Scenario, owner: Engine) -> None:
    scenario.book = catalogue.add_book("The Dispossessed", copies=2)
    locked, free = _copies(owner, scenario)
    with owner.begin() as other, ThreadPoolExecutor(1) as pool:
        other.execute(_LOCK, {"id": locked})
        request = pool.submit(scenario.request_delivery)
        event_runner.wait_until(lambda: request.done() or event_runner.is_waiting(owner))
        assert request.done()
        assert _reserved(request.result()) == free


def test_last_copy_is_reserved_when_the_transaction_that_locks_it_fails(
    scenario: Scenario, owner: Engine
) -> None:
    (copy,) = _copies(owner, scenario)
    with owner.connect() as other, ThreadPoolExecutor(1) as pool:
        other.execute(_LOCK, {"id": copy})
        request = pool.submit(scenario.request_delivery)
        event_runner.wait_until(lambda: request.done() or event_runner.is_waiting(owner))
        other.rollback()
        assert _reserved(request.result()) == copy


def test_copy_kept_for_the_member_is_sent_before_a_free_one(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.book = catalogue.add_book("The Dispossessed", copies=2)
    _keep_for_student(scenario, copies=2)
    with owner.connect() as connection:
        kept = connection.execute(text("SELECT copy_id FROM holds")).scalar_one()
    assert _reserved(scenario.request_delivery()) == kept


def test_copy_kept_for_the_member_that_no_robot_can_carry_is_fetched(
    scenario: Scenario, owner: Engine
) -> None:
    _keep_for_student(scenario)
    (copy,) = _copies(owner, scenario)
    _change(owner, copy, "robot_transportable = false")
    refused = scenario.request_delivery(expect=409)
    assert code_of(refused) == "BOOK_NOT_AVAILABLE"
    assert "Fetch it at the desk" in refused.json()["error"]["message"]


def test_copy_kept_for_the_member_that_is_missing_meanwhile_is_not_sent(
    scenario: Scenario, owner: Engine
) -> None:
    _keep_for_student(scenario)
    (copy,) = _copies(owner, scenario)
    with owner.begin() as other, ThreadPoolExecutor(1) as pool:
        other.execute(_LOCK, {"id": copy})
        request = pool.submit(scenario.request_delivery, expect=409)
        event_runner.wait_until(lambda: request.done() or event_runner.is_waiting(owner))
        _change_in(other, copy, "condition = 'MISSING'")
        other.commit()
        assert code_of(request.result()) == "CONFLICT"
    _change(owner, copy, "condition = 'OK'")
