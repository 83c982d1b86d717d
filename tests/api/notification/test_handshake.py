"""Who may open the live view, and how they are sent away."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from starlette.websockets import WebSocketDisconnect

from backend.shared.infra import clock, database, redis
from backend.shared.models import User, UserSession
from backend.shared.web.security import api_keys
from tests.api.notification.ws_client import Watcher, watching
from tests.factories import users
from tests.factories.users import SignedInUser

TICKET = "/api/v1/notifications/ws-ticket"


def _ticket(api: Any, person: SignedInUser) -> str:
    answer = api.post(TICKET, headers=person.headers)
    assert answer.status_code == 200
    assert answer.json()["data"]["expires_in"] == 30
    ticket: str = answer.json()["data"]["ticket"]
    return ticket


def _refused(api: Any, **options: Any) -> int:
    """The code an accepted socket is closed with at once, nothing said before."""
    with watching(api, **options) as watcher, pytest.raises(WebSocketDisconnect) as closed:
        watcher.next()
    return closed.value.code


def _change(model: Any, row_id: Any, **values: Any) -> None:
    with database.transaction() as session:
        session.execute(update(model).where(model.id == row_id).values(**values))


def _by_ticket(ticket: str) -> dict[str, Any]:
    return {"subprotocols": ["luna.v1", f"ticket.{ticket}"]}


def test_a_token_in_the_header_opens_the_live_view(api: Any) -> None:
    with watching(api, users.student()) as watcher:
        assert watcher.protocol is None
        assert watcher.subscribe("me")["type"] == "snapshot"


def test_a_ticket_opens_it_once(api: Any) -> None:
    ticket = _ticket(api, users.student())
    with watching(api, **_by_ticket(ticket)) as watcher:
        assert watcher.protocol == "luna.v1"
        assert watcher.subscribe("me")["type"] == "snapshot"
    assert _refused(api, **_by_ticket(ticket)) == 4401


def test_a_ticket_is_kept_for_thirty_seconds_and_only_as_a_hash(api: Any) -> None:
    ticket = _ticket(api, users.student())
    [key] = redis.client().keys("ws-ticket:*")
    assert key == f"ws-ticket:{api_keys.digest(ticket)}".encode()
    assert 25 < redis.client().ttl(key) <= 30


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"headers": {"Authorization": "Bearer nonsense"}},
        {"headers": {"Authorization": "Basic bHVuYTpsdW5h"}},
        {"subprotocols": ["luna.v1"]},
        {"subprotocols": ["luna.v1", "ticket."]},
        {"subprotocols": ["luna.v1", "ticket.never-issued"]},
    ],
)
def test_nobody_else_gets_in(api: Any, options: dict[str, Any]) -> None:
    assert _refused(api, **options) == 4401


def test_an_ended_session_gets_neither_in_by_token_nor_by_ticket(api: Any) -> None:
    person = users.student()
    ticket = _ticket(api, person)
    _change(UserSession, person.session_id, ended_at=clock.now())
    assert _refused(api, person=person) == 4401
    assert _refused(api, **_by_ticket(ticket)) == 4401


def test_a_ticket_from_before_a_password_change_is_refused(api: Any) -> None:
    person = users.student()
    ticket = _ticket(api, person)
    _change(User, person.id, token_epoch=1)
    assert _refused(api, **_by_ticket(ticket)) == 4401


def test_a_closed_account_is_forbidden(api: Any) -> None:
    person = users.student()
    _change(User, person.id, is_active=False)
    assert _refused(api, person=person) == 4403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example"]
)
def test_a_page_of_another_site_is_refused(api: Any, origin: str) -> None:
    assert _refused(api, person=users.student(), headers={"Origin": origin}) == 4403


@pytest.mark.parametrize("origin", ["http://testserver", "http://localhost:8080"])
def test_our_own_pages_are_let_in(api: Any, origin: str) -> None:
    with watching(api, users.student(), headers={"Origin": origin}) as watcher:
        assert watcher.silence()


def test_the_eleventh_socket_of_a_person_is_refused(api: Any) -> None:
    person = users.student()
    with ExitStack() as stack:
        for _ in range(10):
            watcher: Watcher = stack.enter_context(watching(api, person))
            assert watcher.silence()
        assert _refused(api, person=person) == 4403
        with watching(api, users.student()) as other:
            assert other.silence()


def _log_out(person: SignedInUser) -> None:
    _change(UserSession, person.session_id, ended_at=clock.now())


def _change_role(person: SignedInUser) -> None:
    _change(User, person.id, role="LIBRARIAN")


def _change_password(person: SignedInUser) -> None:
    _change(User, person.id, token_epoch=1)


def _run_out(person: SignedInUser) -> None:
    _change(UserSession, person.session_id, expires_at=clock.now() - timedelta(seconds=1))


@pytest.mark.parametrize("end", [_log_out, _change_role, _change_password, _run_out])
def test_a_session_that_ends_closes_its_sockets_within_two_seconds(api: Any, end: Any) -> None:
    person = users.student()
    with watching(api, person) as watcher, watching(api, users.student()) as other:
        watcher.subscribe("me")
        end(person)
        assert watcher.closed(seconds=2) == 4401
        assert other.silence()


def test_no_ticket_is_issued_while_redis_is_away(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    student = users.student()
    monkeypatch.setattr(redis, "is_up", lambda: False)
    answer = api.post(TICKET, headers=student.headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
