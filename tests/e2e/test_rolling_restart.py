"""`./luna restart`: no request fails, sockets reconnect, deliveries continue."""

import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e.conftest import System
from tests.ports import free_port

pytestmark = pytest.mark.slow
CLIENTS = 4
REQUESTS = 10_000
MAX_TIME = 240.0  # seconds
CALLS = (
    ("GET", "/api/v1/auth/me"),
    ("GET", "/api/v1/books?limit=5"),
    ("GET", "/api/v1/requests"),
    ("PUT", "/api/v1/notifications/read-all"),
    ("POST", "/api/v1/notifications/ws-ticket"),
    ("GET", "/health"),
)


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """Start a LUNA with two instances of three services and of the worker."""
    with tempfile.TemporaryDirectory(prefix="luna-r-") as folder:
        running = System(Path(folder))
        running.environment |= {
            "LUNA_GATEWAY_LIMITS": "off",
            "LUNA_USER_WRITES_PER_SECOND": "0",
            "LUNA_INSTANCES_BOOK": "2",
            "LUNA_INSTANCES_NOTIFICATION": "2",
            "LUNA_INSTANCES_ROBOT": "2",
            "LUNA_INSTANCES_WORKER": "2",
        }
        words = ("--detach", "--native", "--no-web", "--speed", "40")
        started = running.luna("up", *words, "--port", str(free_port()), timeout=MAX_TIME)
        try:
            assert started.returncode == 0, started.stdout + started.stderr
            yield running
        finally:
            running.close()
            running.luna("down")


class Load:
    """Clients that call one after another, each on a connection that it keeps."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._headers = address, {"Authorization": f"Bearer {token}"}
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._enough = threading.Event()

    @property
    def count(self) -> int:
        return sum(self.answers.values())

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._call, args=[n]) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join(timeout=30)

    def _call(self, number: int) -> None:
        with httpx.Client(base_url=self._address, headers=self._headers, timeout=30) as client:
            while not self._enough.is_set():
                number += 1
                method, path = CALLS[number % len(CALLS)]
                try:
                    answer = str(client.request(method, path).status_code)
                except httpx.HTTPError as error:
                    answer = f"{method} {path}: {error!r}"
                with self._lock:
                    self.answers[answer] += 1


class Socket:
    """A client of the live view that connects again whenever it is disconnected."""

    def __init__(self, address: str, token: str) -> None:
        self._url = f"{address.replace('http', 'ws', 1)}/api/v1/notifications/ws"
        self._headers = {"Authorization": f"Bearer {token}"}
        self.codes: list[int | None] = []
        self.connected = threading.Event()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @contextmanager
    def open(self) -> Iterator[None]:
        self._thread.start()
        assert self.connected.wait(60)
        try:
            yield
        finally:
            self._enough.set()
            self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._enough.is_set():
            with suppress(OSError, ConnectionClosed):
                self._listen()
            self.connected.clear()

    def _listen(self) -> None:
        with connect(self._url, additional_headers=self._headers) as socket:
            socket.send('{"action": "subscribe", "topics": ["me"]}')
            assert "snapshot" in str(socket.recv(timeout=60))
            self.connected.set()
            try:
                while not self._enough.is_set():
                    with suppress(TimeoutError):
                        socket.recv(timeout=0.5)
            except ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else None)
                raise


def test_no_request_fails_while_everything_is_restarted(system: System) -> None:
    now = system.status()
    student = next(each for each in now["accounts"] if each["role"] == "STUDENT")
    body = {"email": student["email"], "password": student["password"]}
    answer = httpx.post(f"{now['address']}/api/v1/auth/login", json=body).json()
    token = answer["data"]["access_token"]
    before = {row["name"]: row["pid"] for row in now["services"]}
    load, socket = Load(now["address"], token), Socket(now["address"], token)
    rounds = 0
    with load.running(), socket.open():
        while not rounds or load.count < REQUESTS:
            done = system.luna("restart", timeout=MAX_TIME)
            assert done.returncode == 0, done.stdout + done.stderr
            rounds += 1
        assert socket.connected.wait(10), "the socket is connected again"
    assert set(load.answers) == {"200", "201"} or set(load.answers) == {"200"}, load.answers
    assert load.count >= REQUESTS
    assert len(socket.codes) >= rounds
    assert set(socket.codes) == {1012}
    after = {row["name"]: row["pid"] for row in system.status()["services"]}
    restarted = {name for name in before if after[name] != before[name]}
    assert restarted == {name for name in before if "-service" in name or "celery" in name}


def test_delivery_completes_after_its_services_were_restarted(system: System) -> None:
    assert system.luna("restart", "robot").returncode == 0
    assert system.luna("restart", "nginx").returncode == 0
    done = system.luna("demo", "--repeat", "1")
    assert done.returncode == 0, done.stdout + done.stderr
