"""Frames that are serialized once and written to sockets with nothing to send."""

from datetime import timedelta
from uuid import uuid4

import pytest
from websockets.frames import Frame, Opcode

from backend.notification.live.connection_user import ConnectionUser
from backend.notification.live.sockets import MAX_QUEUED_MESSAGES, Socket, Subscription
from backend.notification.live.topics import topic_of
from backend.shared.infra import clock
from backend.shared.models import Role
from backend.shared.web.server.frames import text_frame


class Transport:
    """Takes frames while it is writable."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_writable = True

    def write(self, frame: bytes) -> bool:
        if self.is_writable:
            self.written.append(frame)
        return self.is_writable


@pytest.fixture
def user() -> ConnectionUser:
    expires_at = clock.now() + timedelta(hours=1)
    return ConnectionUser(uuid4(), uuid4(), Role.STUDENT, 0, expires_at)


def _subscribed(user: ConnectionUser, transport: Transport) -> tuple[Socket, Subscription]:
    socket = Socket(user, transport.write)
    subscription = Subscription(topic_of("me", user))
    socket.subscriptions["me"] = subscription
    socket.start(subscription, [], 0)
    return socket, subscription


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frame_is_that_of_a_text_message(size: int) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)
    expected = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    assert text_frame(text) == expected


def test_change_is_written_at_once_when_nothing_waits(user: ConnectionUser) -> None:
    transport = Transport()
    socket, subscription = _subscribed(user, transport)
    socket.enqueue_change(subscription, 1, "one", b"one")
    assert transport.written == [b"one"]


def test_change_waits_behind_what_is_queued(user: ConnectionUser) -> None:
    transport = Transport()
    socket, subscription = _subscribed(user, transport)
    socket.enqueue("before")
    socket.enqueue_change(subscription, 1, "one", b"one")
    assert transport.written == []


def test_client_that_does_not_read_is_closed_at_the_limit(user: ConnectionUser) -> None:
    transport = Transport()
    socket, subscription = _subscribed(user, transport)
    transport.is_writable = False
    for number in range(1, MAX_QUEUED_MESSAGES + 2):
        socket.enqueue_change(subscription, number, "text", b"frame")
    assert socket.is_slow
    transport.is_writable = True
    socket.enqueue_change(subscription, 1000, "late", b"late")
    assert transport.written == []
