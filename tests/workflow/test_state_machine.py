"""Users, robots, outages and late events in any order: the invariants hold after every step."""

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
from sqlalchemy import Engine

from backend.robot.bridge_protocol import connectivity
from backend.shared.domain import invariants, route_graph
from backend.shared.infra import config, database, redis
from backend.shared.models import Connectivity
from backend.shared.web.security import authentication
from tests import emptying, event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge

EXAMPLES = int(os.environ.get("LUNA_TEST_EXAMPLES", "5"))
REPORTS = ("ACCEPTED", "STARTED", "PROGRESS", "ARRIVED", "FAILED", "REFUSED")
STAFF = ("complete", "cancel", "fail", "retry", "book-placed")
SWEEPS = ("robot.leases", "robot.pending_commands", "robot.dispatch_sweep", "delivery.deadlines")
# One rule draws the step, some steps more often: Hypothesis switches separate rules off in turn.
STEPS = (
    *(("make_progress",) * 4),
    *(("request_delivery", "act_on_delivery", "end_request") * 2),
    *(("report", "poll", "redeliver_event") * 2),
    "request_return",
    "act_on_return",
    "stop_robots",
    "drive",
    "heartbeat",
    "restart_bridge",
    "lose_robot",
    "deliver_events",
    "deliver_event_out_of_order",
    "run_sweep",
    "advance_time",
)


class DeliveryMachine(RuleBasedStateMachine):
    """Two students, two titles with one copy each, two robots, one librarian."""

    def __init__(self, api: Any, owner: Engine) -> None:
        super().__init__()
        self.api, self.owner = api, owner
        _reset(owner)
        catalogue.make_map()
        self.books = [catalogue.add_book("One"), catalogue.add_book("Two")]
        self.students = [users.student(), users.student()]
        self.librarian = users.librarian()
        self.robots = [catalogue.add_robot(api, f"luna-bot-{n}") for n in range(2)]
        self.commands: dict[int, Any] = {}
        self.delivered: list[dict[str, Any]] = []

    def _call(self, person: users.SignedInUser, method: str, path: str, **options: Any) -> Any:
        answer = self.api.request(method, f"/api/v1{path}", headers=person.headers, **options)
        assert answer.status_code < 500, answer.text
        return answer.json().get("data")

    def _latest(self, person: users.SignedInUser, kind: str) -> str | None:
        found = self._call(person, "GET", f"/{kind}?limit=1")
        return str(found[0]["id"]) if found else None

    @initialize()
    def request_both_books(self) -> None:
        for number in (0, 1):
            self.request_delivery(number, number)

    @rule(step=st.sampled_from(STEPS), who=st.integers(0, 1), number=st.integers(0, 29))
    def take_step(self, step: str, who: int, number: int) -> None:
        getattr(self, step)(who, number)

    # --- users ----------------------------------------------------------------------------------

    def request_delivery(self, who: int, number: int) -> None:
        body = {"book_id": str(self.books[number % 2]), "request_location": "SR-201"}
        self._call(self.students[who], "POST", "/requests", json=body)

    def request_return(self, who: int, number: int) -> None:
        body = {"book_id": str(self.books[number % 2]), "pickup_location": "SR-202"}
        self._call(self.students[who], "POST", "/returns", json=body)

    def end_request(self, who: int, number: int) -> None:
        action = ("cancel", "complete")[number % 2]
        found = self._latest(self.students[who], "requests")
        if found is not None:
            self._call(self.students[who], "PUT", f"/requests/{found}/{action}")

    def act_on_return(self, who: int, number: int) -> None:
        action = ("cancel", "picked-up")[number % 2]
        found = self._latest(self.students[who], "returns")
        if found is not None:
            self._call(self.students[who], "PUT", f"/returns/{found}/{action}")

    def act_on_delivery(self, who: int, number: int) -> None:
        action = STAFF[number % 5]
        tasks = self._call(self.librarian, "GET", "/deliveries?limit=2")
        if who >= len(tasks):
            return
        body: dict[str, Any] = {}
        if action == "fail":
            body = {"reason": "not possible", "book_location": "Circulation Desk"}
        elif action == "cancel":
            body = {"book_location": "Circulation Desk"}
        elif action == "book-placed" and tasks[who]["attempt"] > 1:
            body = {"robot_id": tasks[who]["assigned_robot_id"]}
        self._call(self.librarian, "PUT", f"/deliveries/{tasks[who]['id']}/{action}", json=body)

    def stop_robots(self, who: int, number: int) -> None:
        which = (who, None)[number % 2]
        self._stop_or_resume("emergency-stop", which)

    def _stop_or_resume(self, action: str, which: int | None) -> None:
        path = f"/robot/{action}" + (f"/{self.robots[which].id}" if which is not None else "")
        self._call(self.librarian, "POST", path, json={"reason": "test"})

    # --- robots ---------------------------------------------------------------------------------

    def poll(self, which: int, _number: int) -> None:
        command = self.robots[which].next_command()
        if command is not None:
            self.commands[which] = command

    def report(self, which: int, number: int) -> None:
        kind = REPORTS[number % 6]
        if which in self.commands:
            self._send(lambda: self.robots[which].report(self.commands[which], kind))

    def drive(self, which: int, _number: int) -> None:
        """Let the robot take its command and carry it out."""
        robot = self.robots[which]
        command = robot.next_command()
        if command is None:
            return
        self._send(lambda: robot.report(command, "STARTED"))
        self._send(lambda: robot.report(command, "SUCCEEDED"))
        if command["type"] == "NAVIGATE":
            robot.at = command["payload"]["waypoint"]["name"]
        self._send(robot.heartbeat)
        self.deliver_events()

    def make_progress(self, _who: int, number: int) -> None:
        """Let every user and robot take the next regular step."""
        for which in (None, 0, 1) if number % 3 == 0 else ():
            self._stop_or_resume("resume", which)
        for _ in range(1 + number % 2):
            self.deliver_events()
            for which in (0, 1):
                self._send(self.robots[which].heartbeat)
                self.drive(which, 0)
            for task in self._call(self.librarian, "GET", "/deliveries?limit=4"):
                self._serve(task)

    def _serve(self, task: Any) -> None:
        """Take the regular step of a user for a task at its present stage."""
        path = f"/deliveries/{task['id']}"
        is_return, stage = task["return_id"] is not None, task["stage"]
        if stage == "LOADING" and is_return:
            for student in self.students:
                self._call(student, "PUT", f"/returns/{task['return_id']}/picked-up")
        elif stage == "LOADING":
            body = {"robot_id": task["assigned_robot_id"]}
            self._call(self.librarian, "PUT", f"{path}/book-placed", json=body)
        elif stage == "HANDOVER" and not is_return:
            body = {"reason": "test"}
            path = f"/requests/{task['request_id']}/complete"
            self._call(self.librarian, "PUT", path, json=body)
        elif stage in {"HANDOVER", "BRINGING_BACK"}:
            self._call(self.librarian, "PUT", f"{path}/complete")

    def heartbeat(self, which: int, number: int) -> None:
        named = self.commands.get(which) if number % 2 else None
        self._send(lambda: self._beat(self.robots[which], named))

    def _beat(self, robot: Bridge, command: Any) -> Any:
        return robot.heartbeat(active_command=command["id"] if command else None)

    def restart_bridge(self, which: int, _number: int) -> None:
        self.robots[which].open_session()

    def lose_robot(self, which: int, _number: int) -> None:
        with database.transaction() as session:
            connectivity.set_connectivity(session, self.robots[which].id, Connectivity.OFFLINE)

    def _send(self, call: Callable[[], Any]) -> None:
        answer = call()
        assert answer.status_code < 500, answer.text

    # --- the system -----------------------------------------------------------------------------

    def deliver_events(self, _who: int = 0, _number: int = 0) -> None:
        self.delivered += event_runner.pending_events()
        event_runner.run_events()

    def deliver_event_out_of_order(self, _who: int, number: int) -> None:
        waiting = event_runner.pending_events()
        if waiting:
            event_runner.redeliver(waiting[number % len(waiting)])

    def redeliver_event(self, _who: int, number: int) -> None:
        if self.delivered:
            event_runner.redeliver(self.delivered[number % len(self.delivered)])

    def run_sweep(self, _who: int, number: int) -> None:
        event_runner.run_periodic(SWEEPS[number % 4])

    def advance_time(self, _who: int, number: int) -> None:
        seconds = (5, 16, 310, 620)[number % 4]
        event_runner.advance_clock(timedelta(seconds=seconds))
        event_runner.run_periodic("delivery.deadlines")
        event_runner.run_periodic("robot.leases")

    @invariant()
    def invariants_hold(self) -> None:
        with self.owner.connect() as connection:
            assert invariants.find_violations(connection) == {}


def _reset(owner: Engine) -> None:
    emptying.empty(owner, truncate=True)
    redis.client().flushdb()
    clock_file = config.process().clock_file
    assert isinstance(clock_file, Path)
    clock_file.unlink(missing_ok=True)
    authentication.invalidate_caches()
    route_graph.clear_cache()


def test_invariants_hold_after_any_sequence_of_steps(api: Any, superuser: Engine) -> None:
    run_state_machine_as_test(
        lambda: DeliveryMachine(api, superuser),  # type: ignore[arg-type]  # a function is a factory too
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # report a failure at once; shrinking takes minutes here
            suppress_health_check=list(HealthCheck),
        ),
    )
