"""Authentication of the live view, and the codes of refused sockets."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from starlette.websockets import WebSocketDisconnect

from backend.shared.infra import clock, database, redis
from backend.shared.models import User, UserSession, WsTicket
from backend.shared.web.security import api_keys
from tests import event_runner
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


def test_ticket_is_stored_as_hash_and_expires_after_thirty_seconds(api: Any, owner: Engine) -> None:
    ticket = _ticket(api, users.student())
    with owner.connect() as connection:
        [row] = connection.execute(select(WsTicket))
    assert row.ticket_hash == api_keys.digest(ticket)
    assert ticket not in str(row)
    event_runner.advance_clock(timedelta(seconds=31))
    assert _refusal_code(api, **_by_ticket(ticket)) == 4401


def test_redeemed_and_expired_tickets_are_deleted(api: Any, owner: Engine) -> None:
    person = users.student()
    redeemed, _expired = _ticket(api, person), _ticket(api, person)
    with connect(api, **_by_ticket(redeemed)) as client:
        assert client.is_silent()
    event_runner.advance_clock(timedelta(seconds=31))
    event_runner.run_periodic("retention")
    with owner.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(WsTicket)) == 0


def test_forged_ticket_in_redis_opens_nothing(api: Any) -> None:
    """Whoever can write to Redis must not be able to open the topics of others."""
    person = users.librarian()
    value = json.dumps([str(person.id), str(person.session_id), person.role.value, 0])
    redis.client().set(f"ws-ticket:{api_keys.digest('forged')}", value, ex=30)
    assert _refusal_code(api, **_by_ticket("forged")) == 4401


def test_concurrent_use_of_ticket_opens_one_socket(api: Any) -> None:
    ticket = _ticket(api, users.student())
    opened = []
    with ThreadPoolExecutor(4) as pool:

        def use(_: int) -> None:
            with connect(api, **_by_ticket(ticket)) as client, suppress(WebSocketDisconnect):
                opened.append(client.is_silent())

        list(pool.map(use, range(4)))
    assert opened == [True]


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
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://",
        "http://testserver.evil.example",
        "https://testserver",  # another scheme
        "http://testserver:8443",  # another port
        "http://localhost",  # not the port of LUNA_PUBLIC_URL
        "https://localhost:8080",
        "http://testserver:no-port",
    ],
)
def test_origin_of_another_site_is_refusal_code(api: Any, origin: str) -> None:
    assert _refusal_code(api, user=users.student(), headers={"Origin": origin}) == 4403


@pytest.mark.parametrize(
    "origin",
    [
        "http://testserver",
        "http://testserver:80",
        "http://localhost:8080",
    ],
)
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


@pytest.mark.parametrize(
    ("requested", "origin", "code"),
    [
        ("luna.example:8443", "https://luna.example:8443", None),
        ("luna.example", "https://luna.example:443", None),
        ("luna.example:8443", "https://luna.example", 4403),
        ("luna.example:8443", "http://luna.example:8443", 4403),
    ],
)
def test_origin_is_compared_with_the_address_that_the_gateway_forwards(
    api: Any, requested: str, origin: str, code: int | None
) -> None:
    forwarded = {"X-Forwarded-Host": requested, "X-Forwarded-Proto": "https"}
    options: dict[str, Any] = {"headers": {"Origin": origin, **forwarded}}
    if code is not None:
        assert _refusal_code(api, user=users.student(), **options) == code
        return
    with connect(api, users.student(), **options) as client:
        assert client.is_silent()


def test_socket_closes_when_its_access_token_expires(api: Any) -> None:
    person, by_ticket = users.student(), users.student()
    ticket = _ticket(api, by_ticket)
    with connect(api, person) as first, connect(api, **_by_ticket(ticket)) as second:
        assert first.is_silent()
        assert second.is_silent()
        event_runner.advance_clock(timedelta(hours=1, seconds=1))
        assert first.close_code(seconds=2) == 4401
        assert second.close_code(seconds=2) == 4401


def test_ticket_needs_no_redis(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    student = users.student()
    monkeypatch.setattr(redis, "is_up", lambda: False)
    with connect(api, **_by_ticket(_ticket(api, student))) as client:
        assert client.is_silent()
