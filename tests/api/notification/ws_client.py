"""A WebSocket client of the live view, and the real relay that sends events to it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
from starlette.websockets import WebSocketDisconnect

from backend.shared.events import Event
from backend.shared.infra import database
from backend.shared.messaging import celery_app, outbox, relay
from tests.factories.users import SignedInUser

PATH = "/api/v1/notifications/ws"
_TIMEOUT = 30.0


class WsClient:
    """One open WebSocket; every wait has a timeout."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.protocol = session.accepted_subprotocol

    def send(self, **message: Any) -> None:
        self._session.send_json(message)

    def send_raw(self, text: str | bytes) -> None:
        (self._session.send_text if isinstance(text, str) else self._session.send_bytes)(text)

    def receive(self, seconds: float = _TIMEOUT) -> dict[str, Any]:
        """Return the next message; WebSocketDisconnect when the server closes."""

        async def wait() -> Any:
            with anyio.fail_after(seconds):
                return await self._session._send_rx.receive()  # noqa: SLF001 (receive() of the test client has no timeout)

        message = self._session.portal.call(wait)
        self._session._raise_on_close(message)  # noqa: SLF001 (as its receive_json does)
        decoded: dict[str, Any] = json.loads(message["text"])
        return decoded

    def subscribe(self, *topics: str) -> dict[str, Any]:
        """Subscribe and return the last topic's answer."""
        self.send(action="subscribe", topics=list(topics))
        return [self.receive() for _ in topics][-1]

    def is_silent(self) -> bool:
        """Return whether the answer to a ping is the next message."""
        self.send(action="ping")
        return bool(self.receive()["type"] == "pong")

    def close_code(self, seconds: float = _TIMEOUT) -> int:
        """Return the code the server closes with; skip messages before it."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.receive(max(deadline - time.monotonic(), 0.01))
        except WebSocketDisconnect as closed:
            return closed.code


@contextmanager
def connect(api: Any, user: SignedInUser | None = None, **options: Any) -> Iterator[WsClient]:
    """Open a WebSocket, with the user's Authorization header."""
    headers = options.pop("headers", {}) | (user.headers if user is not None else {})
    with api.websocket_connect(PATH, headers=headers, **options) as session:
        yield WsClient(session)


def relay_events(*events: Event) -> None:
    """Commit these events and let the relay publish them."""
    with database.transaction() as session:
        for event in events:
            outbox.publish(session, event)
    relay.Relay(celery_app.celery).relay_batch()


def wait_until(condition: Callable[[], bool], seconds: float = _TIMEOUT) -> None:
    """Poll a condition until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.01)
