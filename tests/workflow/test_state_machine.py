"""People, robots, outages and late events in any order: the invariants hold after every step."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text

from backend.robot.bridge_protocol import connectivity
from backend.shared.domain import invariants, route_graph
from backend.shared.infra import config, database, redis
from backend.shared.models import Connectivity
from backend.shared.web.security import authentication
from tests import conftest, event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge

EXAMPLES = int(os.environ.get("LUNA_TEST_EXAMPLES", "5"))
REPORTS = ("ACCEPTED", "STARTED", "PROGRESS", "ARRIVED", "FAILED", "REFUSED")
STAFF = ("complete", "cancel", "fail", "retry", "book-placed")
SWEEPS = ("robot.leases", "robot.pending_commands", "robot.dispatch_sweep", "delivery.deadlines")
# One rule draws what happens, some things more often: several rules would be switched off in turn.
HAPPENINGS = (
    *(("go_on",) * 4),
    *(("ask", "lead", "end_request", "report", "poll", "carry_again") * 2),
    "ask_back",
    "move_return",
    "stop_or_resume",
    "drive",
    "beat",
    "restart_bridge",
    "lose",
    "carry_all",
    "carry_one_out_of_order",
    "sweep",
    "time_passes",
)


class Library(RuleBasedStateMachine):
    """Two students, two titles with one copy each, two robots, one librarian."""

    def __init__(self, api: Any, owner: Engine) -> None:
        super().__init__()
        self.api, self.owner = api, owner
        _empty(owner)
        catalogue.make_map()
        self.books = [catalogue.add_book("One"), catalogue.add_book("Two")]
        self.students = [users.student(), users.student()]
        self.librarian = users.librarian()
        self.robots = [catalogue.add_robot(api, f"luna-bot-{n}") for n in range(2)]
        self.commands: dict[int, Any] = {}
        self.seen: list[dict[str, Any]] = []

    def _call(self, person: users.SignedInUser, method: str, path: str, **options: Any) -> Any:
        answer = self.api.request(method, f"/api/v1{path}", headers=person.headers, **options)
        assert answer.status_code < 500, answer.text
        return answer.json().get("data")

    def _latest(self, person: users.SignedInUser, kind: str) -> str | None:
        found = self._call(person, "GET", f"/{kind}?limit=1")
        return str(found[0]["id"]) if found else None

    @initialize()
    def begin(self) -> None:
        for number in (0, 1):
            self.ask(number, number)

    @rule(what=st.sampled_from(HAPPENINGS), who=st.integers(0, 1), number=st.integers(0, 29))
    def something_happens(self, what: str, who: int, number: int) -> None:
        getattr(self, what)(who, number)

    # --- people ---------------------------------------------------------------------------------

    def ask(self, who: int, number: int) -> None:
        body = {"book_id": str(self.books[number % 2]), "request_location": "SR-201"}
        self._call(self.students[who], "POST", "/requests", json=body)

    def ask_back(self, who: int, number: int) -> None:
        body = {"book_id": str(self.books[number % 2]), "pickup_location": "SR-202"}
        self._call(self.students[who], "POST", "/returns", json=body)

    def end_request(self, who: int, number: int) -> None:
        action = ("cancel", "complete")[number % 2]
        found = self._latest(self.students[who], "requests")
        if found is not None:
            self._call(self.students[who], "PUT", f"/requests/{found}/{action}")

    def move_return(self, who: int, number: int) -> None:
        action = ("cancel", "picked-up")[number % 2]
        found = self._latest(self.students[who], "returns")
        if found is not None:
            self._call(self.students[who], "PUT", f"/returns/{found}/{action}")

    def lead(self, who: int, number: int) -> None:
        action = STAFF[number % 5]
        tasks = self._call(self.librarian, "GET", "/deliveries?limit=2")
        if who >= len(tasks):
            return
        body: dict[str, Any] = {}
        if action == "fail":
            body = {"reason": "given up", "book_location": "Circulation Desk"}
        elif action == "cancel":
            body = {"book_location": "Circulation Desk"}
        elif action == "book-placed" and tasks[who]["attempt"] > 1:
            body = {"robot_id": tasks[who]["assigned_robot_id"]}
        self._call(self.librarian, "PUT", f"/deliveries/{tasks[who]['id']}/{action}", json=body)

    def stop_or_resume(self, who: int, number: int) -> None:
        which = (who, None)[number % 2]
        self._press("emergency-stop", which)

    def _press(self, action: str, which: int | None) -> None:
        path = f"/robot/{action}" + (f"/{self.robots[which].id}" if which is not None else "")
        self._call(self.librarian, "POST", path, json={"reason": "to see"})

    # --- robots ---------------------------------------------------------------------------------

    def poll(self, which: int, _number: int) -> None:
        command = self.robots[which].next_command()
        if command is not None:
            self.commands[which] = command

    def report(self, which: int, number: int) -> None:
        kind = REPORTS[number % 6]
        if which in self.commands:
            self._robot(lambda: self.robots[which].report(self.commands[which], kind))

    def drive(self, which: int, _number: int) -> None:
        """What most often happens: the robot takes its command and does it."""
        robot = self.robots[which]
        command = robot.next_command()
        if command is None:
            return
        self._robot(lambda: robot.report(command, "STARTED"))
        self._robot(lambda: robot.report(command, "SUCCEEDED"))
        if command["type"] == "NAVIGATE":
            robot.at = command["payload"]["waypoint"]["name"]
        self._robot(robot.heartbeat)
        self.carry_all()

    def go_on(self, _who: int, number: int) -> None:
        """Everyone does what is to be done next."""
        for which in (None, 0, 1) if number % 3 == 0 else ():
            self._press("resume", which)
        for _ in range(1 + number % 2):
            self.carry_all()
            for which in (0, 1):
                self._robot(self.robots[which].heartbeat)
                self.drive(which, 0)
            for task in self._call(self.librarian, "GET", "/deliveries?limit=4"):
                self._serve(task)

    def _serve(self, task: Any) -> None:
        """What people do for a journey at its present stage."""
        on_its_way = f"/deliveries/{task['id']}"
        is_return, stage = task["return_id"] is not None, task["stage"]
        if stage == "LOADING" and is_return:
            for student in self.students:
                self._call(student, "PUT", f"/returns/{task['return_id']}/picked-up")
        elif stage == "LOADING":
            body = {"robot_id": task["assigned_robot_id"]}
            self._call(self.librarian, "PUT", f"{on_its_way}/book-placed", json=body)
        elif stage == "HANDOVER" and not is_return:
            body = {"reason": "to go on"}
            path = f"/requests/{task['request_id']}/complete"
            self._call(self.librarian, "PUT", path, json=body)
        elif stage in {"HANDOVER", "BRINGING_BACK"}:
            self._call(self.librarian, "PUT", f"{on_its_way}/complete")

    def beat(self, which: int, number: int) -> None:
        named = self.commands.get(which) if number % 2 else None
        self._robot(lambda: self._beat(self.robots[which], named))

    def _beat(self, robot: Bridge, command: Any) -> Any:
        return robot.heartbeat(active_command=command["id"] if command else None)

    def restart_bridge(self, which: int, _number: int) -> None:
        self.robots[which].open_session()

    def lose(self, which: int, _number: int) -> None:
        with database.transaction() as session:
            connectivity.set_connectivity(session, self.robots[which].id, Connectivity.OFFLINE)

    def _robot(self, call: Callable[[], Any]) -> None:
        answer = call()
        assert answer.status_code < 500, answer.text

    # --- the system -----------------------------------------------------------------------------

    def carry_all(self, _who: int = 0, _number: int = 0) -> None:
        self.seen += event_runner.pending_events()
        event_runner.run_events()

    def carry_one_out_of_order(self, _who: int, number: int) -> None:
        waiting = event_runner.pending_events()
        if waiting:
            event_runner.redeliver(waiting[number % len(waiting)])

    def carry_again(self, _who: int, number: int) -> None:
        if self.seen:
            event_runner.redeliver(self.seen[number % len(self.seen)])

    def sweep(self, _who: int, number: int) -> None:
        event_runner.run_periodic(SWEEPS[number % 4])

    def time_passes(self, _who: int, number: int) -> None:
        seconds = (5, 16, 310, 620)[number % 4]
        event_runner.advance_clock(timedelta(seconds=seconds))
        event_runner.run_periodic("delivery.deadlines")
        event_runner.run_periodic("robot.leases")

    @invariant()
    def everything_is_whole(self) -> None:
        with self.owner.connect() as connection:
            assert invariants.find_violations(connection) == {}


def _empty(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text(conftest._EMPTY))  # noqa: SLF001 (the one definition of empty)
    redis.client().flushdb()
    clock_file = config.process().clock_file
    assert isinstance(clock_file, Path)
    clock_file.unlink(missing_ok=True)
    authentication.invalidate_caches()
    route_graph.clear_cache()


def test_whatever_happens_in_whatever_order_the_invariants_hold(api: Any, owner: Engine) -> None:
    run_state_machine_as_test(
        lambda: Library(api, owner),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # a failure is told at once; shrinking takes minutes here
            suppress_health_check=list(HealthCheck),
        ),
    )
