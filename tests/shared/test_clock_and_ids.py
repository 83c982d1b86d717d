"""The shared clock, the expiry of idempotency keys, and sessions that end within two seconds."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import clock
from tests import event_runner
from tests.factories import catalogue, users
from tests.scenario import code_of, start_scenario


def test_clock_moves_for_every_process_and_is_utc(api: Any) -> None:
    before = clock.now()
    event_runner.advance_clock(timedelta(days=1))
    assert timedelta(days=1) <= clock.now() - before < timedelta(days=1, minutes=1)
    assert clock.now().tzinfo is not None
    assert clock.iso(before).endswith("Z")
    listed = api.get("/api/v1/requests", headers=users.student().headers).json()
    assert listed["meta"]["timestamp"][:10] == clock.iso(clock.now())[:10]


def test_idempotency_key_expires_after_a_day(api: Any) -> None:
    scenario = start_scenario(api, copies=2)
    headers = {"Idempotency-Key": "daily"}
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    first = scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=headers)
    again = scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=headers)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    event_runner.advance_clock(timedelta(hours=25))
    fresh = _with_new_token(scenario.student)
    late = scenario.call(fresh, "POST", "/requests", 409, json=body, headers=headers)
    assert code_of(late) == "ALREADY_REQUESTED"


def _with_new_token(person: users.SignedInUser) -> users.SignedInUser:
    """Return the same user with a token issued now."""
    from backend.shared.web.security import tokens

    token = tokens.sign(
        user_id=person.id,
        email=person.email,
        role=person.role,
        session_id=person.session_id,
        epoch=0,
    )
    return users.SignedInUser(person.id, person.email, person.role, token, person.session_id)


def test_failed_request_can_be_repeated_under_its_idempotency_key(api: Any) -> None:
    scenario = start_scenario(api)
    taker = users.student()
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    headers = {"Idempotency-Key": "patience"}
    taken = scenario.call(taker, "POST", "/requests", 201, json=body).json()["data"]
    scenario.call(scenario.student, "POST", "/requests", 409, json=body, headers=headers)
    scenario.call(taker, "PUT", f"/requests/{taken['id']}/cancel")
    scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=headers)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE sessions SET ended_at = now()", "TOKEN_REVOKED"),
        ("UPDATE users SET is_active = false", "ACCOUNT_INACTIVE"),
        ("UPDATE users SET token_epoch = token_epoch + 1", "TOKEN_REVOKED"),
        ("UPDATE users SET role = 'LIBRARIAN'", "TOKEN_REVOKED"),
    ],
)
def test_access_token_is_refused_within_two_seconds(
    api: Any, owner: Engine, change: str, code: str
) -> None:
    catalogue.make_map()
    student = users.student()
    assert api.get("/api/v1/requests", headers=student.headers).status_code == 200
    with owner.begin() as connection:
        connection.execute(text(change))
    limit = sent = time.monotonic()
    limit += 2
    pause = threading.Event()
    while (answer := api.get("/api/v1/requests", headers=student.headers)).status_code == 200:
        assert sent < limit  # when it was sent: its response may take its time
        pause.wait(0.05)
        sent = time.monotonic()
    assert code_of(answer) == code
