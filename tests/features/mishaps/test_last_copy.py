"""Give the last copy to one of two students.

two students request the last copy in the same instant → one 201, one 409 BOOK_NOT_AVAILABLE →
never two requests, never none.

PostgreSQL locks the copy's row; a partial unique index allows one open request for a copy.
"""

from functools import partial

from tests import event_runner
from tests.factories import users
from tests.scenario import Scenario, code_of


def test_one_of_two_students_gets_the_last_copy(scenario: Scenario) -> None:
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    calls = [
        partial(scenario.api.post, "/api/v1/requests", json=body, headers=student.headers)
        for student in (users.student(), users.student())
    ]
    answers = sorted(event_runner.at_once(calls), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [201, 409]
    assert code_of(answers[1]) == "BOOK_NOT_AVAILABLE"
    assert len(scenario.get(scenario.librarian, "/requests")) == 1
