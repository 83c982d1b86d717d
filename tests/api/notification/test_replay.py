"""A client that reconnects with `since` receives what it missed, or `resync`."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from backend.notification.live import replay
from tests.api.notification.ws_client import WsClient, connect, relay_events
from tests.factories import users
from tests.factories.event_factories import create_request, loan_opened
from tests.factories.users import SignedInUser


def _position(api: Any, person: SignedInUser) -> int:
    """Subscribe once and disconnect; return the position of the snapshot."""
    with connect(api, person) as client:
        return int(client.subscribe("me")["pos"])


def _subscribe_since(client: WsClient, topic: str, since: int) -> None:
    client.send(action="subscribe", topics=[topic], since={topic: since})


def _assert_resync(client: WsClient, since: int) -> None:
    _subscribe_since(client, "me", since)
    first, second = client.receive(), client.receive()
    assert (first["type"], first["topic"]) == ("resync", "me")
    assert (second["type"], second["topic"]) == ("snapshot", "me")


def test_missed_events_are_replayed_in_order_and_new_ones_follow(api: Any) -> None:
    person = users.student()
    since = _position(api, person)
    missed = [loan_opened(person.id) for _ in range(3)]
    relay_events(missed[0], loan_opened(users.student().id), *missed[1:])
    with connect(api, person) as client:
        _subscribe_since(client, "me", since)
        received = [client.receive() for _ in missed]
        assert client.is_silent()
        new = loan_opened(person.id)
        relay_events(new)
        received.append(client.receive())
        assert client.is_silent()
    assert {message["type"] for message in received} == {"event"}
    loans = [message["data"]["loan_id"] for message in received]
    assert loans == [str(event.loan_id) for event in (*missed, new)]
    assert [message["pos"] for message in received] == [since + n for n in (1, 3, 4, 5)]


def test_client_that_missed_nothing_receives_only_new_events(api: Any) -> None:
    person = users.student()
    since = _position(api, person)
    with connect(api, person) as client:
        _subscribe_since(client, "me", since)
        assert client.is_silent()
        relay_events(loan_opened(person.id))
        assert client.receive()["pos"] == since + 1


def test_event_older_than_a_day_causes_resync(api: Any, owner: Engine) -> None:
    person = users.student()
    since = _position(api, person)
    relay_events(loan_opened(person.id))
    with owner.begin() as connection:
        connection.execute(text("UPDATE outbox SET created_at = created_at - interval '25 hours'"))
    with connect(api, person) as client:
        _assert_resync(client, since)


def test_deleted_event_causes_resync(api: Any, owner: Engine) -> None:
    person = users.student()
    since = _position(api, person)
    relay_events(loan_opened(person.id), loan_opened(person.id))
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM outbox WHERE pos = :pos"), {"pos": since + 1})
    with connect(api, person) as client:
        _assert_resync(client, since)


def test_position_of_the_future_causes_resync(api: Any) -> None:
    with connect(api, users.student()) as client:
        _assert_resync(client, 1234)


def test_more_changes_than_a_snapshot_is_worth_cause_resync(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MAX_CHANGES", 2)
    person = users.student()
    since = _position(api, person)
    relay_events(*(loan_opened(person.id) for _ in range(3)))
    with connect(api, person) as client:
        _assert_resync(client, since)
        _subscribe_since(client, "me", since + 1)
        assert [client.receive()["pos"] for _ in range(2)] == [since + 2, since + 3]


def test_since_shows_nothing_of_others(api: Any) -> None:
    request = create_request(users.student())
    person = users.student()
    since = _position(api, person)
    relay_events(loan_opened(request.user_id))
    with connect(api, person) as client:
        for topic, code in (
            (f"request:{request.request_id}", "NOT_FOUND"),
            (f"request:{uuid4()}", "NOT_FOUND"),
            ("deliveries", "ROLE_NOT_ALLOWED"),
        ):
            _subscribe_since(client, topic, since)
            assert client.receive()["data"]["code"] == code
        assert client.is_silent()
