"""A service takes over its socket and drains before it ends."""

import http.client
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from backend.shared.web import shutdown
from backend.shared.web.shutdown import DrainingServer

TIMEOUT = 60.0  # seconds; only a failing test waits for all of them
_delay = threading.Event()  # never set


def answering(text: bytes) -> Any:
    """Return an application that answers every request with this text."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": text})

    return app


class Service:
    """A server in a thread; `end` does what SIGTERM does."""

    def __init__(self, path: Path, text: bytes) -> None:
        own = path.with_name(f"{text.decode()}.own")
        settings = uvicorn.Config(answering(text), uds=str(own), log_config=None, lifespan="off")
        self.server = DrainingServer(settings, path)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        # uvicorn has started before the service takes the path over
        eventually(lambda: self.server.started and not own.exists())

    def end(self) -> None:
        self.server.handle_exit(signal.SIGTERM, None)


class Connection(http.client.HTTPConnection):
    """A kept connection to a Unix socket, as the gateway's."""

    def __init__(self, path: Path) -> None:
        super().__init__("luna")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self.path))

    def get(self) -> tuple[bytes, str | None]:
        """Return the answer and its `Connection` header."""
        self.request("POST", "/")
        response = self.getresponse()
        return response.read(), response.getheader("connection")


def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(int(TIMEOUT / 0.01)):
        if condition():
            return
        _delay.wait(0.01)
    raise AssertionError("not in time")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Service]]:
    """Start services on one path; end them."""
    monkeypatch.setattr(shutdown, "_draining", threading.Event())
    made: list[Service] = []

    def make(text: str) -> Service:
        made.append(Service(tmp_path / "luna.sock", text.encode()))
        return made[-1]

    yield make
    for service in made:
        service.end()
        service.server.force_exit = True
        service.thread.join(TIMEOUT)


def test_successor_takes_new_connections_and_leaves_the_old_ones(
    start: Callable[[str], Service], tmp_path: Path
) -> None:
    path = tmp_path / "luna.sock"
    start("first")
    with closing(Connection(path)) as kept, closing(Connection(path)) as new:
        assert kept.get() == (b"first", None)
        start("second")
        assert new.get()[0] == b"second"
        assert kept.get() == (b"first", None)
    assert list(tmp_path.iterdir()) == [path]


def test_draining_service_answers_until_its_connections_are_closed(
    start: Callable[[str], Service], tmp_path: Path
) -> None:
    service = start("first")
    busy, idle = Connection(tmp_path / "luna.sock"), Connection(tmp_path / "luna.sock")
    for connection in (busy, idle):
        connection.get()
    service.end()
    eventually(shutdown.is_draining)
    assert busy.get() == (b"first", "close")
    assert service.thread.is_alive(), "it waits for the idle connection"
    idle.close()
    service.thread.join(shutdown.DRAIN_TIMEOUT / 2)
    assert not service.thread.is_alive()
    busy.close()


def test_service_without_connections_ends_at_once(start: Callable[[str], Service]) -> None:
    service = start("first")
    service.end()
    service.thread.join(shutdown.DRAIN_TIMEOUT / 2)
    assert not service.thread.is_alive()


def test_drain_ends_when_the_gateway_keeps_a_connection(
    start: Callable[[str], Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "DRAIN_TIMEOUT", 0.2)
    service = start("first")
    with closing(Connection(tmp_path / "luna.sock")) as kept:
        kept.get()
        service.end()
        service.thread.join(TIMEOUT)
        assert not service.thread.is_alive()
