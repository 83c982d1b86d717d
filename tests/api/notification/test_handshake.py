"""Authentication of the live view, and the codes of refused sockets."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from starlette.websockets import WebSocketDisconnect

from backend.shared.infra import clock, database, redis
from backend.shared.models import User, UserSession
from backend.shared.web.security import api_keys
from tests.api.notification.ws_client import WsClient, connect
from tests.factories import users
from tests.factories.users import SignedInUser

TICKET = "/api/v1/notifications/ws-ticket"


def _ticket(api: Any, person: SignedInUser) -> str:
    answer = api.post(TICKET, headers=person.headers)
    assert answer.status_code == 200
    assert answer.json()["data"]["expires_in"] == 30
    ticket: str = answer.json()["data"]["ticket"]
    return ticket


def _refusal_code(api: Any, **options: Any) -> int:
    """Return the code with which the server closes at once, before any message."""
    with connect(api, **options) as client, pytest.raises(WebSocketDisconnect) as closed:
        client.receive()
    return closed.value.code


def _update(model: Any, row_id: Any, **values: Any) -> None:
    with database.transaction() as session:
        session.execute(update(model).where(model.id == row_id).values(**values))


def _by_ticket(ticket: str) -> dict[str, Any]:
    return {"subprotocols": ["luna.v1", f"ticket.{ticket}"]}


def test_token_in_header_opens_socket(api: Any) -> None:
    with connect(api, users.student()) as client:
        assert client.protocol is None
        assert client.subscribe("me")["type"] == "snapshot"


def test_ticket_opens_one_socket(api: Any) -> None:
    ticket = _ticket(api, users.student())
    with connect(api, **_by_ticket(ticket)) as client:
        assert client.protocol == "luna.v1"
        assert client.subscribe("me")["type"] == "snapshot"
    assert _refusal_code(api, **_by_ticket(ticket)) == 4401


def test_ticket_is_stored_as_hash_for_thirty_seconds(api: Any) -> None:
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
def test_missing_or_invalid_credentials_are_refusal_code(api: Any, options: dict[str, Any]) -> None:
    assert _refusal_code(api, **options) == 4401


def test_ended_session_is_refused_by_token_and_ticket(api: Any) -> None:
    person = users.student()
    ticket = _ticket(api, person)
    _update(UserSession, person.session_id, ended_at=clock.now())
    assert _refusal_code(api, user=person) == 4401
    assert _refusal_code(api, **_by_ticket(ticket)) == 4401


def test_ticket_from_before_password_change_is_refusal_code(api: Any) -> None:
    person = users.student()
    ticket = _ticket(api, person)
    _update(User, person.id, token_epoch=1)
    assert _refusal_code(api, **_by_ticket(ticket)) == 4401


def test_inactive_account_is_forbidden(api: Any) -> None:
    person = users.student()
    _update(User, person.id, is_active=False)
    assert _refusal_code(api, user=person) == 4403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example"]
)
def test_origin_of_another_site_is_refusal_code(api: Any, origin: str) -> None:
    assert _refusal_code(api, user=users.student(), headers={"Origin": origin}) == 4403


@pytest.mark.parametrize("origin", ["http://testserver", "http://localhost:8080"])
def test_own_origin_is_accepted(api: Any, origin: str) -> None:
    with connect(api, users.student(), headers={"Origin": origin}) as client:
        assert client.is_silent()


def test_eleventh_socket_of_user_is_refusal_code(api: Any) -> None:
    person = users.student()
    with ExitStack() as stack:
        for _ in range(10):
            client: WsClient = stack.enter_context(connect(api, person))
            assert client.is_silent()
        assert _refusal_code(api, user=person) == 4403
        with connect(api, users.student()) as other:
            assert other.is_silent()


def _end_session(person: SignedInUser) -> None:
    _update(UserSession, person.session_id, ended_at=clock.now())


def _change_role(person: SignedInUser) -> None:
    _update(User, person.id, role="LIBRARIAN")


def _change_password(person: SignedInUser) -> None:
    _update(User, person.id, token_epoch=1)


def _expire_session(person: SignedInUser) -> None:
    _update(UserSession, person.session_id, expires_at=clock.now() - timedelta(seconds=1))


@pytest.mark.parametrize("end", [_end_session, _change_role, _change_password, _expire_session])
def test_ended_session_closes_its_sockets_within_two_seconds(api: Any, end: Any) -> None:
    person = users.student()
    with connect(api, person) as client, connect(api, users.student()) as other:
        client.subscribe("me")
        end(person)
        assert client.close_code(seconds=2) == 4401
        assert other.is_silent()


def test_no_ticket_is_issued_without_redis(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    student = users.student()
    monkeypatch.setattr(redis, "is_up", lambda: False)
    answer = api.post(TICKET, headers=student.headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
