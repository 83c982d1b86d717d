"""Database errors get the same response from both drivers."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.delivery import queries
from backend.robot.service import emergency_stop
from backend.shared.infra import database
from tests.factories import users
from tests.scenario import code_of

STATEMENTS = {
    "DO $$ BEGIN RAISE SQLSTATE '23505'; END $$": (409, "CONFLICT"),
    "SELECT 2147483647 + 1": (422, "VALIDATION_ERROR"),
    "SELECT convert_from('\\xff', 'UTF8')": (422, "VALIDATION_ERROR"),
    "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$": (503, "SERVICE_UNAVAILABLE"),
    "DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$": (503, "SERVICE_UNAVAILABLE"),
    "SELECT 1/0": (500, "INTERNAL_ERROR"),
}


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
@pytest.mark.parametrize(("statement", "expected"), STATEMENTS.items())
def test_database_error_is_answered_by_its_sqlstate(
    api: Any,
    monkeypatch: pytest.MonkeyPatch,
    driver: str,
    statement: str,
    expected: tuple[int, str],
) -> None:
    used = []

    def fail(session: Session, *_: Any) -> None:
        used.append(session.get_bind().dialect.driver)
        session.execute(text(statement))

    def fail_on_thread(*_: Any) -> None:
        with database.transaction() as session:
            fail(session)

    headers = users.librarian().headers
    if driver == "psycopg2":
        monkeypatch.setattr(queries, "locations", fail_on_thread)
        answer = api.get("/api/v1/deliveries/locations", headers=headers)
    else:
        monkeypatch.setattr(emergency_stop, "stop", fail)
        answer = api.post("/api/v1/robot/emergency-stop", headers=headers)
    assert used == [driver]
    assert (answer.status_code, code_of(answer)) == expected
