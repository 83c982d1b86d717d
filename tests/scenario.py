"""A delivery scenario: a small library, its users and robots, and the steps they take.

Each step is one call of the public API; the status is compared with `expect` before it returns.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, update

from backend.shared.domain import invariants
from backend.shared.infra import clock, config, database
from backend.shared.messaging import process_heartbeats
from backend.shared.models import ProcessHeartbeat
from tests import event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge

API = "/api/v1"
_COMMAND_TRIES = 10


def check_invariants(owner: Engine) -> None:
    """Check every invariant of the workflow on the committed rows."""
    with owner.connect() as connection:
        assert invariants.find_violations(connection) == {}


def code_of(answer: Any) -> str:
    """Return the error code of a response."""
    return str(answer.json()["error"]["code"])


def details_of(answer: Any) -> Any:
    """Return the error details of a response."""
    return answer.json()["error"]["details"]


@dataclass
class Scenario:
    """One student, one librarian, one title, and the request or return in progress."""

    api: Any
    book: UUID
    student: users.SignedInUser
    librarian: users.SignedInUser
    robots: list[Bridge]
    request: Any = None  # the request or return as it was created
    task_id: str = ""
    kind: str = "requests"

    @property
    def robot(self) -> Bridge:
        """The first robot."""
        return self.robots[0]

    def call(
        self,
        user: users.SignedInUser | None,
        method: str,
        path: str,
        expect: int = 200,
        **options: Any,
    ) -> Any:
        """Send one request as this user and check the status."""
        headers = {**(user.headers if user else {}), **options.pop("headers", {})}
        answer = self.api.request(method, API + path, headers=headers, **options)
        assert answer.status_code == expect, answer.text
        return answer

    def get(self, user: users.SignedInUser, path: str) -> Any:
        """Return the data of a GET request."""
        return self.call(user, "GET", path).json()["data"]

    # --- steps of users -------------------------------------------------------------------------

    def request_delivery(self, place: str = "SR-201", expect: int = 201, **changes: Any) -> Any:
        """Request the book as the student."""
        body = {"book_id": str(self.book), "request_location": place, **changes}
        answer = self.call(self.student, "POST", "/requests", expect, json=body)
        return self._follow(answer, "requests")

    def request_return(self, place: str = "SR-201", expect: int = 201) -> Any:
        """Request the pickup of the borrowed book as the student."""
        body = {"book_id": str(self.book), "pickup_location": place}
        answer = self.call(self.student, "POST", "/returns", expect, json=body)
        return self._follow(answer, "returns")

    def _follow(self, answer: Any, kind: str) -> Any:
        if answer.status_code == 201:
            self.request, self.kind = answer.json()["data"], kind
            self.task_id = self.request["task"]["id"]
        return answer

    def as_student(self, action: str, expect: int = 200, **body: Any) -> Any:
        """Apply an action to the request or return as its student."""
        return self.act_as(self.student, action, expect, **body)

    def act_as(self, user: users.SignedInUser, action: str, expect: int = 200, **body: Any) -> Any:
        """Apply an action to the request or return as this user."""
        path = f"/{self.kind}/{self.request['id']}/{action}"
        return self.call(user, "PUT", path, expect, json=body)

    def as_librarian(self, action: str, expect: int = 200, **body: Any) -> Any:
        """Apply an action to the delivery task as the librarian."""
        path = f"/deliveries/{self.task_id}/{action}"
        return self.call(self.librarian, "PUT", path, expect, json=body)

    # --- steps of robots and the system ---------------------------------------------------------

    def run_events(self) -> list[str]:
        """Deliver all pending events and return their types."""
        return event_runner.run_events()

    def drive_robot(self, robot: Bridge | None = None) -> Any:
        """Let the robot carry out its next command and return the command."""
        robot = robot or self.robot
        command = self.wait_for_command(robot)
        robot.drive(command)
        robot.heartbeat()
        self.run_events()
        return command

    def wait_for_command(self, robot: Bridge | None = None) -> Any:
        """Return the robot's next command.

        A row that is locked, such as by the write of a heartbeat, leaves it to the periodic job.
        """
        robot = robot or self.robot
        for wait in (0, *[1] * _COMMAND_TRIES):
            command = robot.next_command(wait=wait)
            if command is not None:
                return command
            event_runner.run_periodic("robot.pending_commands")
        raise AssertionError("no command is pending for the robot")

    def advance_seconds(self, seconds: float) -> None:
        """Advance the clock while LUNA runs and no robot sends a heartbeat."""
        event_runner.finish_background_work()
        with database.transaction() as session:
            process_heartbeats.record(session, "robot-service")
            event_runner.move_clock(timedelta(seconds=seconds))
            # else LUNA assumes after a long gap that it was itself not running
            session.execute(
                update(ProcessHeartbeat)
                .where(ProcessHeartbeat.part == "robot-service")
                .values(at=clock.now())
            )

    def advance_minutes(self, minutes: float) -> None:
        """Advance the clock and run the deadline sweep."""
        event_runner.advance_clock(timedelta(minutes=minutes))
        event_runner.run_periodic("delivery.deadlines")
        self.run_events()

    # --- present state --------------------------------------------------------------------------

    @property
    def task(self) -> Any:
        """The delivery task as the librarian sees it."""
        return self.get(self.librarian, f"/deliveries/{self.task_id}")

    @property
    def state(self) -> str:
        """The task's status, with its stage where it has one: STATUS/STAGE."""
        task = self.task
        return "/".join(filter(None, [task["status"], task["stage"]]))

    @property
    def current_request(self) -> Any:
        """The request or return as its student sees it."""
        return self.get(self.student, f"/{self.kind}/{self.request['id']}")

    def custody(self) -> str:
        """Return the custody of the task's copy."""
        with database.reading_engine().connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT custody FROM copies JOIN delivery_tasks t ON t.copy_id = copies.id "
                "WHERE t.id = %s",
                (self.task_id,),
            )
            return str(found.scalar_one())

    # --- shortcuts to a state -------------------------------------------------------------------

    def until_loading(self) -> "Scenario":
        """Create a request; the robot waits at the workstation for the book."""
        self.request_delivery()
        self.run_events()
        self.drive_robot()
        return self

    def until_departed(self) -> "Scenario":
        """Continue until the book is on the robot and the robot may leave."""
        self.until_loading()
        self.as_librarian("book-placed")
        return self

    def until_handover(self) -> "Scenario":
        """Continue until the robot waits at the destination for the student."""
        self.until_departed()
        self.drive_robot()
        return self

    def until_on_loan(self) -> "Scenario":
        """Continue until the student has the book."""
        self.until_handover()
        self.as_student("complete")
        self.run_events()
        return self


def start_scenario(api: Any, copies: int = 1, robots: int = 1) -> Scenario:
    """Create a corridor map, one title, one student, one librarian and robots at their dock."""
    catalogue.make_map()
    book = catalogue.add_book(copies=copies)
    bridges = [catalogue.add_robot(api, f"luna-bot-{n + 1}") for n in range(robots)]
    return Scenario(api, book, users.student(), users.librarian(), bridges)


def seconds_until_offline() -> float:
    """Return the silence after which a robot is declared offline, plus one second."""
    return config.robots().offline_after.total_seconds() + 1
