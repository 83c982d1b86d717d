"""A client of the live view, for tests; and the real relay that shows it what happens."""

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
_PATIENCE = 5.0


class Watcher:
    """One open socket; every wait has an end."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.protocol = session.accepted_subprotocol

    def say(self, **wish: Any) -> None:
        self._session.send_json(wish)

    def say_raw(self, text: str | bytes) -> None:
        (self._session.send_text if isinstance(text, str) else self._session.send_bytes)(text)

    def next(self, seconds: float = _PATIENCE) -> dict[str, Any]:
        """The next message; WebSocketDisconnect when it is the server's close."""

        async def wait() -> Any:
            with anyio.fail_after(seconds):
                return await self._session._send_rx.receive()  # noqa: SLF001 (receive() of the test client may wait for ever)

        message = self._session.portal.call(wait)
        self._session._raise_on_close(message)  # noqa: SLF001 (what its receive_json does)
        said: dict[str, Any] = json.loads(message["text"])
        return said

    def subscribe(self, *topics: str) -> dict[str, Any]:
        """Subscribe, and give the last topic's answer."""
        self.say(action="subscribe", topics=list(topics))
        return [self.next() for _ in topics][-1]

    def silence(self) -> bool:
        """Whether nothing was said before the answer to a ping."""
        self.say(action="ping")
        return bool(self.next()["type"] == "pong")

    def closed(self, seconds: float = _PATIENCE) -> int:
        """The code the server closes with; what it says before is passed over."""
        ends = time.monotonic() + seconds
        try:
            while True:
                self.next(max(ends - time.monotonic(), 0.01))
        except WebSocketDisconnect as end:
            return end.code


@contextmanager
def watching(api: Any, person: SignedInUser | None = None, **options: Any) -> Iterator[Watcher]:
    """An open socket of this person, by the Authorization header."""
    headers = options.pop("headers", {}) | (person.headers if person is not None else {})
    with api.websocket_connect(PATH, headers=headers, **options) as session:
        yield Watcher(session)


def show(*happened: Event) -> None:
    """Commit these events and let the relay show them."""
    with database.transaction() as session:
        for event in happened:
            outbox.publish(session, event)
    relay.Relay(celery_app.celery).relay_batch()


def wait_until(true: Callable[[], bool], seconds: float = _PATIENCE) -> None:
    """Look again and again until it is so."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come true in time"
        time.sleep(0.01)
