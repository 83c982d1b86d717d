"""Those who play in the demo: signed-in people, and what they see live on the WebSocket."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

_ANSWER_WITHIN = 15.0  # seconds
_LOOK_EVERY = 0.5  # how often REST is asked when the live view is silent
_TRIES = 5


class DemoError(Exception):
    """The play can't go on; the message says why."""


class Person:
    """Someone at the public address, signed in."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self.email = email
        self._client = httpx.Client(base_url=f"{address}/api/v1", timeout=_ANSWER_WITHIN)
        tokens = self.ask("POST", "/auth/login", json={"email": email, "password": password})
        self.token = str(tokens["access_token"])
        self._client.headers["Authorization"] = f"Bearer {self.token}"

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The `data` of an answer; DemoError with LUNA's own sentence for a refusal.

        A gateway whose service restarts is asked again: each step here bears being repeated.
        """
        answer = self._client.request(method, path, **more)
        for _ in range(_TRIES):
            if answer.status_code not in {502, 503, 504}:
                break
            time.sleep(_LOOK_EVERY)
            answer = self._client.request(method, path, **more)
        body = answer.json()
        if not body["success"]:
            error = body["error"]
            raise DemoError(f"{method} {path}: {error['code']} {error['message']}")
        return body["data"]


class Watcher:
    """A socket on the live view; keeps what it saw with the time it came."""

    def __init__(self, address: str, person: Person, topics: Sequence[str]) -> None:
        self._seen: list[tuple[float, dict[str, Any]]] = []
        self._news = threading.Condition()
        self._socket = self._open(address, person)
        self.subscribe(topics)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @staticmethod
    def _open(address: str, person: Person) -> ClientConnection:
        url = address.replace("http", "ws", 1) + "/api/v1/notifications/ws"
        return connect(
            url,
            additional_headers={"Authorization": f"Bearer {person.token}"},
            open_timeout=_ANSWER_WITHIN,
        )

    def subscribe(self, topics: Sequence[str]) -> None:
        self._socket.send(json.dumps({"action": "subscribe", "topics": list(topics)}))

    def unsubscribe(self, topics: Sequence[str]) -> None:
        self._socket.send(json.dumps({"action": "unsubscribe", "topics": list(topics)}))

    def _listen(self) -> None:
        try:
            for text in self._socket:
                message = json.loads(text)
                with self._news:
                    self._seen.append((time.time(), message))
                    self._news.notify_all()
        except ConnectionClosed:
            return  # REST still tells how things stand

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind seen so far."""
        with self._news:
            return [message for _, message in self._seen if message.get("event") == kind]

    def wait(
        self, wanted: Callable[[dict[str, Any]], bool], seconds: float
    ) -> dict[str, Any] | None:
        """The first message like this, seen already or within `seconds`; None else."""
        until = time.monotonic() + seconds
        looked_at = 0
        with self._news:
            while True:
                for _, message in self._seen[looked_at:]:
                    if wanted(message):
                        return message
                looked_at = len(self._seen)
                left = until - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    return None

    def forget(self) -> None:
        """Drop what was seen."""
        with self._news:
            self._seen.clear()

    def close(self) -> None:
        self._socket.close()


def until(
    watcher: Watcher,
    wanted: Callable[[dict[str, Any]], bool],
    holds: Callable[[], bool],
    seconds: float,
) -> None:
    """Wait for an event on the live view; REST is asked now and then in case it never comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if watcher.wait(wanted, _LOOK_EVERY) is not None or holds():
            return
    raise DemoError(f"nothing came of it within {seconds:.0f} seconds")


def moment(text: str) -> float:
    """An ISO 8601 time as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()
