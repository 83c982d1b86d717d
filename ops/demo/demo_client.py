"""The live view of the demo: a WebSocket, with REST while no event arrives."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ops.api_client import ApiClient

_RESPONSE_TIMEOUT = 15.0  # seconds
_POLL_INTERVAL = 0.5  # seconds between REST requests while no event arrives


class DemoError(Exception):
    """The demo cannot continue; the message says why."""


class Watcher:
    """A WebSocket of the live view that keeps the messages it received."""

    def __init__(self, address: str, account: ApiClient, topics: Sequence[str]) -> None:
        self._messages: list[dict[str, Any]] = []
        self._received = threading.Condition()
        self._socket = self._open(address, account)
        self.subscribe(topics)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @staticmethod
    def _open(address: str, account: ApiClient) -> ClientConnection:
        url = address.replace("http", "ws", 1) + "/api/v1/notifications/ws"
        return connect(
            url,
            additional_headers={"Authorization": f"Bearer {account.token}"},
            open_timeout=_RESPONSE_TIMEOUT,
        )

    def subscribe(self, topics: Sequence[str]) -> None:
        self._socket.send(json.dumps({"action": "subscribe", "topics": list(topics)}))

    def unsubscribe(self, topics: Sequence[str]) -> None:
        self._socket.send(json.dumps({"action": "unsubscribe", "topics": list(topics)}))

    def _listen(self) -> None:
        try:
            for text in self._socket:
                message = json.loads(text)
                with self._received:
                    self._messages.append(message)
                    self._received.notify_all()
        except ConnectionClosed:
            return  # `until` continues by REST

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind received so far."""
        with self._received:
            return [message for message in self._messages if message.get("event") == kind]

    def wait(
        self, wanted: Callable[[dict[str, Any]], bool], seconds: float
    ) -> dict[str, Any] | None:
        """Return the first such message, received before or within `seconds`, or None."""
        deadline = time.monotonic() + seconds
        checked = 0
        with self._received:
            while True:
                for message in self._messages[checked:]:
                    if wanted(message):
                        return message
                checked = len(self._messages)
                left = deadline - time.monotonic()
                if left <= 0 or not self._received.wait(left):
                    return None

    def clear(self) -> None:
        """Delete the received messages."""
        with self._received:
            self._messages.clear()

    def close(self) -> None:
        self._socket.close()


def until(
    watcher: Watcher,
    wanted: Callable[[dict[str, Any]], bool],
    holds: Callable[[], bool],
    seconds: float,
) -> None:
    """Wait for an event on the live view, or until REST shows that the condition holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if watcher.wait(wanted, _POLL_INTERVAL) is not None or holds():
            return
    raise DemoError(f"no progress within {seconds:.0f} seconds")


def moment(text: str) -> float:
    """Convert an ISO 8601 time to seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()
