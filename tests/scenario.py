"""A journey that tests lead by hand: a library, its people, a robot, and the steps they take.

Each step is one call of the public API and returns its answer; `expect` checks the status first.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from backend.shared.domain import invariants
from backend.shared.infra import clock, config, database
from backend.shared.messaging import process_heartbeats
from tests import event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge

API = "/api/v1"
_LONGEST_BREAK = 4  # seconds; a longer one and LUNA counts itself as having been away


def check_whole(owner: Engine) -> None:
    """Every invariant of workflow.md §2 holds."""
    with owner.connect() as connection:
        assert invariants.broken(connection) == {}


def code_of(answer: Any) -> str:
    """The error code of an answer."""
    return str(answer.json()["error"]["code"])


def details_of(answer: Any) -> Any:
    return answer.json()["error"]["details"]


@dataclass
class Story:
    api: Any
    book: UUID
    student: users.Person
    librarian: users.Person
    robots: list[Bridge]
    request: Any = None  # the request or return under way, as it was answered
    task_id: str = ""
    kind: str = "requests"
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def robot(self) -> Bridge:
        """The first robot."""
        return self.robots[0]

    def call(
        self, who: users.Person | None, method: str, path: str, expect: int = 200, **options: Any
    ) -> Any:
        """One call as this person; the answer, whose status is as expected."""
        headers = {**(who.headers if who else {}), **options.pop("headers", {})}
        answer = self.api.request(method, API + path, headers=headers, **options)
        assert answer.status_code == expect, answer.text
        return answer

    def get(self, who: users.Person, path: str) -> Any:
        return self.call(who, "GET", path).json()["data"]

    # --- what people do -------------------------------------------------------------------------

    def ask(self, place: str = "SR-201", expect: int = 201, **changes: Any) -> Any:
        """The student asks for the book."""
        body = {"book_id": str(self.book), "request_location": place, **changes}
        answer = self.call(self.student, "POST", "/requests", expect, json=body)
        return self._follow(answer, "requests")

    def ask_back(self, place: str = "SR-201", expect: int = 201) -> Any:
        """The student has the borrowed book fetched."""
        body = {"book_id": str(self.book), "pickup_location": place}
        answer = self.call(self.student, "POST", "/returns", expect, json=body)
        return self._follow(answer, "returns")

    def _follow(self, answer: Any, kind: str) -> Any:
        if answer.status_code == 201:
            self.request, self.kind = answer.json()["data"], kind
            self.task_id = self.request["task"]["id"]
        return answer

    def mine(self, action: str, expect: int = 200, **body: Any) -> Any:
        """The student does something to the request or return."""
        return self.step(self.student, action, expect, **body)

    def step(self, who: users.Person, action: str, expect: int = 200, **body: Any) -> Any:
        path = f"/{self.kind}/{self.request['id']}/{action}"
        return self.call(who, "PUT", path, expect, json=body)

    def staff(self, action: str, expect: int = 200, **body: Any) -> Any:
        """The librarian does something to the journey."""
        path = f"/deliveries/{self.task_id}/{action}"
        return self.call(self.librarian, "PUT", path, expect, json=body)

    # --- what robots and the system do ----------------------------------------------------------

    def run(self) -> list[str]:
        """Carry all events; their types."""
        return event_runner.run_events()

    def drive(self, robot: Bridge | None = None) -> Any:
        """The robot carries out what it is told next; the command."""
        robot = robot or self.robot
        command = robot.next()
        assert command is not None, "the robot is told nothing"
        robot.drive(command)
        robot.beat()
        self.run()
        return command

    def let_pass(self, seconds: float) -> None:
        """Time passes, in which LUNA listens and hears no robot."""
        while seconds > 0:
            step = min(seconds, _LONGEST_BREAK)
            _beat()
            event_runner.move_clock(timedelta(seconds=step))
            _beat()
            seconds -= step

    def minutes(self, minutes: float) -> None:
        """Time passes; the deadlines are looked at."""
        event_runner.move_clock(timedelta(minutes=minutes))
        event_runner.run_periodic("delivery.deadlines")
        self.run()

    # --- how far it has come --------------------------------------------------------------------

    @property
    def task(self) -> Any:
        return self.get(self.librarian, f"/deliveries/{self.task_id}")

    @property
    def state(self) -> str:
        task = self.task
        return "/".join(filter(None, [task["status"], task["stage"]]))

    @property
    def cause(self) -> Any:
        """The request or return as its student sees it."""
        return self.get(self.student, f"/{self.kind}/{self.request['id']}")

    def custody(self) -> str:
        with database.reading_engine().connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT custody FROM copies JOIN delivery_tasks t ON t.copy_id = copies.id "
                "WHERE t.id = %s",
                (self.task_id,),
            )
            return str(found.scalar_one())

    def at_desk(self) -> "Story":
        """Asked, and the robot stands at the desk."""
        self.ask()
        self.run()
        self.drive()
        return self

    def on_the_way(self) -> "Story":
        self.at_desk()
        self.staff("book-placed")
        return self

    def at_the_room(self) -> "Story":
        self.on_the_way()
        self.drive()
        return self

    def lent(self) -> "Story":
        """The student has the book."""
        self.at_the_room()
        self.mine("complete")
        self.run()
        return self


def _beat() -> None:
    with database.transaction() as session:
        process_heartbeats.beat(session, "robot-service")


def begin(api: Any, copies: int = 1, robots: int = 1) -> Story:
    """A corridor library with one title, one student, one librarian and robots at their dock."""
    catalogue.make_map()
    book = catalogue.add_book(copies=copies)
    bridges = [catalogue.add_robot(api, f"luna-bot-{n + 1}") for n in range(robots)]
    return Story(api, book, users.student(), users.librarian(), bridges)


def offline_after() -> float:
    """Seconds after which a silent robot counts as lost."""
    return config.robots().offline_after.total_seconds() + 1


def now() -> str:
    return clock.iso(clock.now())
