"""Ten students and a librarian in a closed loop; a ledger of what LUNA accepted.

A call is accepted, refused, or unknown (no answer, 5xx). An unknown creation is repeated with its
Idempotency-Key until LUNA decides, so that the ledger is exact at the end.
"""

import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

STUDENTS = 10
PASSWORD = "Chaos-42-lantern-harbour"
ROOMS = ("Study Room 201", "Study Room 104", "Study Room 203", "Study Room 102")
TIMEOUT = 10.0  # seconds
PAUSE = 0.25  # seconds between two looks of one person
CLOSED = {"COMPLETED", "CANCELLED"}
UNDECIDED = 500  # from this status on a call may or may not have had its effect


def student_email(number: int) -> str:
    return f"chaos-{number}@luna.example"


@dataclass
class Creation:
    """An accepted creation: repeating `body` with `key` must give the same `id`."""

    student: int
    path: str
    key: str
    body: dict[str, str]
    id: str


@dataclass
class Ledger:
    """What LUNA accepted and refused, over all threads."""

    creations: list[Creation] = field(default_factory=list)
    accepted: int = 0
    unknown: int = 0
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int) -> None:
        with self.lock:
            self.accepted += status < 300
            self.unknown += status >= UNDECIDED

    @contextmanager
    def failures(self, name: str) -> Iterator[None]:
        """Record what ends a thread; it must not end silently."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (fails the test in the main thread)
            self.problems.append(f"{name}: {type(error).__name__}: {error}")


class Person:
    """Someone signed in; calls answer (status, data), 599 without an answer."""

    def __init__(self, address: str, email: str, password: str, ledger: Ledger) -> None:
        self._client = httpx.Client(base_url=f"{address}/api/v1", timeout=TIMEOUT)
        self._credentials = {"email": email, "password": password}
        self._ledger = ledger
        self.pause = threading.Event()  # set at the end of the run

    def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        try:
            response = self._client.request(method, path, **more)
        except httpx.HTTPError:
            self._ledger.note(599)
            return 599, None
        if method != "GET":
            self._ledger.note(response.status_code)
        with suppress(ValueError):
            body = response.json()
            return response.status_code, body["data"] if body.get("success") else body.get("error")
        return response.status_code, None

    def insist(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Repeat a call until LUNA decides: after no answer, 5xx or 429."""
        while True:
            status, data = self.call(method, path, **more)
            if status < UNDECIDED and status != 429:
                return status, data
            self.pause.wait(PAUSE)

    def close(self) -> None:
        self._client.close()

    def sign_in(self) -> None:
        status, tokens = self.insist("POST", "/auth/login", json=self._credentials)
        if status != 200:
            raise AssertionError(f"sign in: {status} {tokens}")
        self._client.headers["Authorization"] = f"Bearer {tokens['access_token']}"


class Student(Person):
    """Requests a book, receives it, returns it, and begins again until the run ends."""

    def __init__(self, address: str, number: int, seed: int, ledger: Ledger) -> None:
        super().__init__(address, student_email(number), PASSWORD, ledger)
        self.number = number
        self._chance = random.Random(f"{seed}:{number}")

    def run(self, ending: threading.Event) -> None:
        with self._ledger.failures(f"student {self.number}"):
            while not ending.is_set():
                request = self._create("/requests", self._choose(), "request_location")
                if request and self._finish("requests", request["id"], "complete", ending):
                    returned = self._create("/returns", request["book_id"], "pickup_location")
                    if returned:
                        self._finish("returns", returned["id"], "picked-up", ending)
                self.pause.wait(PAUSE)

    def _choose(self) -> str | None:
        _, books = self.insist("GET", "/books?available=true&limit=100")
        return self._chance.choice(books)["id"] if books else None

    def _create(self, path: str, book: str | None, where: str) -> Any:
        if book is None:
            return None
        key = f"chaos-{uuid.uuid4()}"
        body = {"book_id": book, where: self._chance.choice(ROOMS)}
        status, data = self.insist("POST", path, json=body, headers={"Idempotency-Key": key})
        if status >= 400:
            return None
        with self._ledger.lock:
            self._ledger.creations.append(Creation(self.number, path, key, body, data["id"]))
        return data

    def _finish(self, kind: str, thing: str, step: str, ending: threading.Event) -> bool:
        """Take part until it is closed; True when it is completed. Cancels once when it ends."""
        stage = {"complete": "HANDOVER", "picked-up": "LOADING"}[step]
        while True:
            status, found = self.insist("GET", f"/{kind}/{thing}")
            assert status == 200, (status, found)
            if found["status"] in CLOSED:
                return bool(found["status"] == "COMPLETED")
            if found["task"]["stage"] == stage:
                self.call("PUT", f"/{kind}/{thing}/{step}")
            elif ending.is_set() and found["task"]["stage"] is None:
                self.call("PUT", f"/{kind}/{thing}/cancel")
            self.pause.wait(PAUSE)


class Librarian(Person):
    """Loads, receives and settles what failed, until everything is closed."""

    def run(self, closed: threading.Event) -> None:
        with self._ledger.failures("librarian"):
            while not closed.is_set():
                status, tasks = self.insist(
                    "GET", "/deliveries?limit=100&sort=created_at&order=desc"
                )
                assert status == 200, (status, tasks)
                for task in tasks:
                    self._attend(task)
                self.pause.wait(PAUSE)

    def _attend(self, task: dict[str, Any]) -> None:
        path, stage = f"/deliveries/{task['id']}", task["stage"]
        if task["status"] == "FAILED":
            here = {"reason": "it failed", "book_location": "Circulation Desk"}
            self.call("PUT", f"{path}/cancel", json=here)
        elif task["task_type"] == "STUDENT_DELIVERY" and stage == "LOADING":
            self.call("PUT", f"{path}/book-placed")
        elif (task["task_type"], stage) == (
            "RETURN_PICKUP",
            "HANDOVER",
        ) or stage == "BRINGING_BACK":
            self.call("PUT", f"{path}/complete")
