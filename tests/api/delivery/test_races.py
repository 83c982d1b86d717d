"""Concurrent calls: exactly one succeeds, never two, never none."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from backend.robot.service import dispatch
from backend.shared.infra import config, database
from tests import event_runner
from tests.factories import catalogue, users
from tests.scenario import Scenario, code_of


def _concurrently(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Start all calls at the same time; return their answers in order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(run, call) for call in calls]]


def _count(owner: Engine, table: str) -> int:
    with owner.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 (a table's name)


def test_fifty_concurrent_requests_for_last_copy_create_one(
    scenario: Scenario, owner: Engine
) -> None:
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}

    def ask(person: users.SignedInUser) -> Callable[[], Any]:
        return lambda: scenario.api.post("/api/v1/requests", json=body, headers=person.headers)

    answers = _concurrently([ask(users.student()) for _ in range(50)])
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 49}
    refused = {code_of(each) for each in answers if each.status_code == 409}
    assert refused == {"BOOK_NOT_AVAILABLE"}
    assert _count(owner, "book_requests") == _count(owner, "delivery_tasks") == 1


def test_twenty_concurrent_requests_of_a_member_stay_within_the_limit(
    scenario: Scenario, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.LoanSettings(loans_per_member=5)
    monkeypatch.setattr(config, "loans", lambda: settings)

    def ask(book_id: UUID) -> Callable[[], Any]:
        body = {"book_id": str(book_id), "request_location": "SR-201"}
        headers = scenario.student.headers
        return lambda: scenario.api.post("/api/v1/requests", json=body, headers=headers)

    twice = catalogue.add_book("The Dispossessed", copies=20)
    answers = _concurrently([ask(twice)] * 20)
    assert Counter(code_of(each) for each in answers if each.status_code != 201) == {
        "ALREADY_REQUESTED": 19
    }
    answers = _concurrently([ask(catalogue.add_book(f"Volume {n}")) for n in range(20)])
    assert Counter(code_of(each) for each in answers if each.status_code != 201) == {
        "LOAN_LIMIT_REACHED": 16
    }
    assert _count(owner, "book_requests") == 5


def test_requests_of_a_member_who_is_locked_delay_no_other_member(
    scenario: Scenario, owner: Engine
) -> None:
    """They wait without a connection: otherwise a few would take all of them."""
    others = [users.student() for _ in range(2)]
    wait_for_all = config.database().hot_pool_size + 2
    book = catalogue.add_book("The Dispossessed", copies=len(others))

    def ask(person: users.SignedInUser) -> int:
        body = {"book_id": str(book), "request_location": "SR-201"}
        answer = scenario.api.post("/api/v1/requests", json=body, headers=person.headers)
        return int(answer.status_code)

    with owner.begin() as other, ThreadPoolExecutor(wait_for_all) as pool:
        lock = text("SELECT FROM users WHERE id = :id FOR UPDATE")
        other.execute(lock, {"id": scenario.student.id})
        waiting = [pool.submit(scenario.request_delivery) for _ in range(wait_for_all - 1)]
        event_runner.wait_until(lambda: event_runner.is_waiting(owner))
        assert [ask(each) for each in others] == [201, 201]
        assert not any(each.done() for each in waiting)
        other.commit()
        outcomes = [each.exception() for each in waiting]
    assert outcomes.count(None) == 1  # the same title may be requested once


def test_concurrent_calls_with_same_idempotency_key_create_one_request(
    scenario: Scenario, owner: Engine
) -> None:
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    headers = {**scenario.student.headers, "Idempotency-Key": "the-same"}
    answers = _concurrently(
        [lambda: scenario.api.post("/api/v1/requests", json=body, headers=headers)] * 50
    )
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert len({each.headers["location"] for each in answers}) == 1
    assert _count(owner, "book_requests") == 1


def test_idempotency_key_with_another_body_is_refused(scenario: Scenario) -> None:
    key = {"Idempotency-Key": "the-same"}
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=key)
    other = {**body, "request_location": "SR-202"}
    refused = scenario.call(scenario.student, "POST", "/requests", 409, json=other, headers=key)
    assert code_of(refused) == "IDEMPOTENCY_KEY_REUSED"
    someone = users.student()  # a key belongs to one user
    answered = scenario.call(someone, "POST", "/requests", 409, json=body, headers=key)
    assert code_of(answered) == "BOOK_NOT_AVAILABLE"


def test_concurrent_book_placed_writes_one_proof_and_one_command(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    answers = _concurrently([lambda: scenario.as_librarian("book-placed")] * 8)
    assert {each.json()["data"]["stage"] for each in answers} == {"TO_DESTINATION"}
    assert _count(owner, "loading_proofs") == 1
    assert _count(owner, "robot_commands WHERE leg = 'TO_DESTINATION'") == 1


def test_concurrent_cancel_and_book_placed_stay_consistent(scenario: Scenario) -> None:
    scenario.until_loading()
    path = f"/api/v1/deliveries/{scenario.task_id}/book-placed"
    cancelled, placed = _concurrently(
        [
            lambda: scenario.as_student("cancel"),
            lambda: scenario.api.put(path, headers=scenario.librarian.headers),
        ]
    )
    assert cancelled.json()["data"]["status"] == "CANCELLED"
    if placed.status_code == 200:
        assert (scenario.state, scenario.custody()) == ("IN_PROGRESS/BRINGING_BACK", "ON_ROBOT")
    else:
        assert code_of(placed) == "INVALID_STATE_TRANSITION"
        assert (scenario.state, scenario.custody()) == ("CANCELLED", "ON_SHELF")


def test_concurrent_dispatchers_assign_each_robot_and_task_once(
    scenario: Scenario, owner: Engine
) -> None:
    catalogue.add_robot(scenario.api, "luna-bot-2")
    for number in range(4):
        scenario.book, scenario.student = catalogue.add_book(f"Book {number}"), users.student()
        scenario.request_delivery()

    def dispatch_once() -> int:
        with database.transaction() as session:
            return dispatch.run(session)

    assert sum(_concurrently([dispatch_once] * 6)) == 2
    assert _count(owner, "robot_commands") == 2
    assert _count(owner, "delivery_tasks WHERE status = 'QUEUED'") == 2


def test_forty_concurrent_reads_with_new_sessions_succeed(scenario: Scenario) -> None:
    """A guard must not wait for a second connection while its call holds one."""
    readers = [users.student() for _ in range(40)]

    def read(person: users.SignedInUser) -> Callable[[], Any]:
        return lambda: scenario.api.get("/api/v1/requests", headers=person.headers)

    answers = _concurrently([read(person) for person in readers])
    assert {each.status_code for each in answers} == {200}
