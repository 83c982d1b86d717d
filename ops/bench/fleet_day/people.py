"""The people of a day: they ask, load, receive, and at times do none of it."""

import random
import time
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from ops.api_client import ApiClient, ApiError
from ops.bench.fleet_day.arrival_times import ArrivalTimes
from ops.bench.fleet_day.robots import Robots
from ops.bench.system import System
from ops.native import status

OPEN_AT_ONCE = 18
_ROWS = 2 * OPEN_AT_ONCE  # newest tasks that are read together
INTERVAL = 0.25  # seconds between two rounds through the building
STOP_EVERY, STOP_FOR = 12.0, 2.0
PATIENCE = 45.0  # seconds after which staff fetch the book of a robot that does not get on
LONGEST = 300.0  # seconds after which a task counts as one without an end
ROOMS = ("Study Room 101", "Study Room 104", "Study Room 201", "Study Room 206", "Entrance Hall")
DESKS = ("Circulation Desk", "First Floor Desk")
HABITS = {
    "as it should be": 70,
    "nobody loads": 4,
    "loads at the second robot": 4,
    "nobody receives": 5,
    "cancels while waiting": 5,
    "cancels on the way": 5,
    "staff give up": 4,
    "staff try again": 3,
}
ENDED = {"COMPLETED", "CANCELLED", "FAILED"}


@dataclass
class Errand:
    """One task and what the people around it do."""

    id: str
    kind: str
    habit: str
    student: int
    book: str
    cause: str  # path of its request or return; empty for a staff delivery
    began: float
    seen: tuple[str, float] = ("", 0.0)  # the present stage, and since when
    retried: bool = False
    was_stopped: bool = False  # its robot, by a person


class Day:
    def __init__(self, system: System, seed: int, robots: Robots) -> None:
        self._chance = random.Random(seed)  # noqa: S311  a repeatable day, not cryptography
        accounts = status.demo_accounts()
        self._staff = _sign_in(system, next(a for a in accounts if a["role"] == "LIBRARIAN"))
        self._students = [_sign_in(system, a) for a in accounts if a["role"] == "STUDENT"]
        books = self._staff.request("GET", "/books?limit=100&available=true")
        self._books = [book["id"] for book in books]
        self._robots = [robot["id"] for robot in self._staff.request("GET", "/robot/status")]
        self._colleague = self._staff.request("GET", "/auth/me")["id"]
        self._lent: list[tuple[int, str]] = []
        self._open: dict[str, Errand] = {}
        self._stopped: tuple[str, float] | None = None
        self._next_stop = time.monotonic() + STOP_EVERY
        self.ends: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.ages: list[float] = []
        self.arrival_times = ArrivalTimes(robots.injected_into)
        self._created = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for client in (self._staff, *self._students):
            client.close()

    def run_until(self, ended: int, count: int) -> None:
        """Live until so many tasks of `count` have ended; the others go on meanwhile."""
        while sum(self.ends.values()) < ended and not self._is_stuck():
            for _ in range(min(OPEN_AT_ONCE - len(self._open), count - self._created)):
                self._ask()  # refused at times, so not until it succeeds
            self._round()

    def finish(self) -> None:
        """Live until every task has ended and no robot is stopped."""
        while (self._open or self._stopped) and not self._is_stuck():
            self._round()

    def _is_stuck(self) -> bool:
        """Return whether a task has no end, so that the day would have none."""
        now = time.monotonic()
        return any(now - errand.began > LONGEST for errand in self._open.values())

    def _round(self) -> None:
        began = time.monotonic()
        self._stop_a_robot()
        rows = {row["id"]: row for row in self._staff.request("GET", f"/deliveries?limit={_ROWS}")}
        for errand in list(self._open.values()):
            row = rows.get(errand.id) or self._staff.request("GET", f"/deliveries/{errand.id}")
            self._look_after(errand, row)
        time.sleep(max(0.0, INTERVAL - (time.monotonic() - began)))

    def _stop_a_robot(self) -> None:
        now = time.monotonic()
        if self._stopped is not None and now > self._stopped[1]:
            self._try(self._staff, "POST", f"/robot/resume/{self._stopped[0]}", {"reason": "clear"})
            self._stopped = None
        elif self._stopped is None and now > self._next_stop:
            robot = self._chance.choice(self._robots)
            self._try(self._staff, "POST", f"/robot/emergency-stop/{robot}", {"reason": "a child"})
            self._stopped, self._next_stop = (robot, now + STOP_FOR), now + STOP_EVERY

    def _ask(self) -> None:
        kind = self._chance.choices(("request", "return", "staff"), (4, 3, 3))[0]
        habit = self._chance.choices(list(HABITS), list(HABITS.values()))[0]
        student, book = (
            self._chance.randrange(len(self._students)),
            self._chance.choice(self._books),
        )
        if kind == "return" and self._lent:
            student, book = self._lent.pop(self._chance.randrange(len(self._lent)))
            body: dict[str, Any] = {"book_id": book, "pickup_location": self._room()}
            made = self._try(self._students[student], "POST", "/returns", body)
        elif kind == "staff":
            path = self._chance.choice(("inter-staff", "workstation", "transfer"))
            source, target = self._chance.sample(DESKS, 2)
            body = {"book_id": book, "source_location": source, "destination_location": target}
            if path == "inter-staff":
                body["recipient_id"] = self._colleague
            made = self._try(self._staff, "POST", f"/deliveries/{path}", body)
        else:
            kind, body = "request", {"book_id": book, "request_location": self._room()}
            made = self._try(self._students[student], "POST", "/requests", body)
        if made is None:
            if kind == "return":
                self._lent.append((student, book))
            return
        task = made if kind == "staff" else made["task"]
        cause = "" if kind == "staff" else f"/{kind}s/{made['id']}"
        self._created += 1
        self._open[task["id"]] = Errand(
            task["id"], kind, habit, student, book, cause, time.monotonic()
        )

    def _room(self) -> str:
        return self._chance.choice(ROOMS)

    def _look_after(self, errand: Errand, row: dict[str, Any]) -> None:
        stage = row["stage"] or row["status"]
        self.arrival_times.look(row)
        if self._stopped is not None and row["assigned_robot_id"] == self._stopped[0]:
            errand.was_stopped = True
        if errand.seen[0] != f"{stage}{row['attempt']}":
            errand.seen = f"{stage}{row['attempt']}", time.monotonic()
        if stage in ENDED:
            self._end(errand, row)
        elif stage in {"PENDING", "QUEUED", "TO_SOURCE"}:
            if errand.habit == "cancels while waiting":
                self._cancel(errand)
        elif stage == "LOADING":
            self._load(errand, row)
        elif stage == "HANDOVER":
            self.arrival_times.arrive(row, is_disturbed=errand.was_stopped)
            self._receive(errand)
        else:
            self._accompany(errand, stage)

    def _load(self, errand: Errand, row: dict[str, Any]) -> None:
        waits = errand.habit == "loads at the second robot" and row["attempt"] == 1
        if errand.habit == "nobody loads" or waits:
            return
        if errand.kind == "return":
            self._try(self._students[errand.student], "PUT", f"{errand.cause}/picked-up")
        else:
            body = {"robot_id": row["assigned_robot_id"]}
            self._try(self._staff, "PUT", f"/deliveries/{errand.id}/book-placed", body)

    def _receive(self, errand: Errand) -> None:
        if errand.habit == "nobody receives" and errand.kind != "return":
            return
        if errand.kind == "request":
            self._try(self._students[errand.student], "PUT", f"{errand.cause}/complete")
        else:
            self._try(self._staff, "PUT", f"/deliveries/{errand.id}/complete")

    def _accompany(self, errand: Errand, stage: str) -> None:
        waited = time.monotonic() - errand.seen[1]
        if waited > PATIENCE:
            self._give_up(errand, "the robot does not get on")
        elif stage == "TO_DESTINATION" and errand.habit == "cancels on the way":
            self._cancel(errand)
        elif stage == "TO_DESTINATION" and errand.habit.startswith("staff"):
            self._give_up(errand, "the robot is needed elsewhere")
        elif stage == "BRINGING_BACK" and waited > 1:
            self._try(self._staff, "PUT", f"/deliveries/{errand.id}/complete")

    def _cancel(self, errand: Errand) -> None:
        if errand.kind == "staff":
            self._try(self._staff, "PUT", f"/deliveries/{errand.id}/cancel", {"reason": "not now"})
        else:
            self._try(self._students[errand.student], "PUT", f"{errand.cause}/cancel")

    def _give_up(self, errand: Errand, reason: str) -> None:
        body = {"reason": reason, "book_location": DESKS[0]}
        self._try(self._staff, "PUT", f"/deliveries/{errand.id}/fail", body)

    def _end(self, errand: Errand, row: dict[str, Any]) -> None:
        path = f"/deliveries/{errand.id}"
        if row["status"] == "FAILED" and errand.habit == "staff try again" and not errand.retried:
            errand.retried, errand.habit = True, "as it should be"
            if self._try(self._staff, "PUT", f"{path}/retry") is not None:
                return
        del self._open[errand.id]
        self.ends[row["status"]] += 1
        self.ages.append(time.monotonic() - errand.began)
        if row["status"] != "COMPLETED":
            self.reasons[(row["failure_reason"] or "").partition(":")[0]] += 1
        if row["status"] == "FAILED":  # where it is counted; now staff tidy up
            self._try(self._staff, "PUT", f"{path}/cancel", {"book_location": DESKS[0]})
        if errand.kind == "request" and row["status"] == "COMPLETED":
            self._lent.append((errand.student, errand.book))
        elif errand.kind == "return":
            if row["loaded_at"] is None:  # still with the student
                self._lent.append((errand.student, errand.book))
        else:  # refused when it is on its shelf
            self._try(self._staff, "PUT", f"/books/{errand.book}/copies/{row['copy_id']}/shelve")

    @staticmethod
    def _try(client: ApiClient, method: str, path: str, body: Any = None) -> Any:
        """Return the data; None when the call was refused, as it may be by the time it comes."""
        try:
            return client.request(method, path, **({} if body is None else {"json": body}))
        except (ApiError, httpx.HTTPError):
            return None


def _sign_in(system: System, account: dict[str, str]) -> ApiClient:
    return ApiClient(system.address, account["email"], account["password"])
