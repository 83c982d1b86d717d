"""A user with many sockets and topics does not delay the others."""

import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from backend.notification.live import user_connections
from backend.notification.live.sockets import Ping, Subscribe
from backend.notification.live.user_connections import UserConnections
from tests.api.notification.ws_client import connect
from tests.factories import users

_SOCKETS, _TOPICS = 3, 100


def test_snapshots_are_read_for_people_in_turn(api: Any, owner: Engine) -> None:
    """One student waits for 300 topics on three sockets when another asks for one."""
    busy, other = users.student(), users.student()
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(api, busy)) for _ in range(_SOCKETS)]
        patient = stack.enter_context(connect(api, other))
        with owner.begin() as connection:  # no snapshot can be read until all are queued
            connection.execute(text("LOCK TABLE live_position IN ACCESS EXCLUSIVE MODE"))
            for client in (*sockets, patient):
                names = [f"request:{uuid4()}" for _ in range(_TOPICS)]
                client.send(action="subscribe", topics=names if client is not patient else ["me"])
                client.send(action="ping")
                assert client.receive()["type"] == "pong"
        snapshot = patient.receive()
        answered = [client.receive()["at"] for client in sockets for _ in range(_TOPICS)]
    assert snapshot["type"] == "snapshot"
    earlier = sum(at < snapshot["at"] for at in answered)
    assert earlier <= 10, f"{earlier} of {len(answered)} topics were read before"


def test_messages_over_the_limit_wait(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_connections, "_BURST", 5)
    person = users.student()
    with connect(api, person) as client, connect(api, users.student()) as other:
        started = time.monotonic()
        for _ in range(15):
            client.send(action="ping")
        assert [client.receive()["type"] for _ in range(15)] == ["pong"] * 15
        assert time.monotonic() - started >= 10 / 20 - 0.05
        assert other.is_silent()


def test_limit_counts_topics_over_all_sockets_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1000.0] * 7 + [1006.0] + [1066.0])
    fake_time = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr(user_connections, "time", fake_time)
    user = UserConnections()
    subscribe = Subscribe(action="subscribe", topics=["me"] * 100)
    assert [user.count_message(subscribe) for _ in range(4)] == [0, 0, 0, 5.0]
    assert user.count_message(Ping(action="ping")) == pytest.approx(5.05)
    assert [user.is_idle, user.count_message(None), user.is_idle] == [False, 0, True]
    user.add_socket()
    assert not user.is_idle
