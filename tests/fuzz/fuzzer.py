"""Send generated calls to the services and collect the responses that the contract forbids."""

import json
from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from math import ceil
from random import Random
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET
from sqlalchemy import Engine, Select, column, select, table

from ops.docs import openapi
from tests.factories import users
from tests.scenario import Scenario

# The column whose values a path parameter, a query parameter or a field of this name takes.
COLUMNS = {
    "alert_id": "alerts.id",
    "barcode": "copies.barcode",
    "book_id": "books.id",
    "copy_barcode": "copies.barcode",
    "copy_id": "copies.id",
    "command_id": "robot_commands.id",
    "edge_id": "waypoint_edges.id",
    "email": "users.email",
    "hold_id": "holds.id",
    "home_workstation_id": "waypoints.id",
    "into": "books.id",
    "job_id": "import_jobs.id",
    "key_id": "service_keys.id",
    "loan_id": "loans.id",
    "merge_id": "book_merges.id",
    "notification_id": "notifications.id",
    "recipient_id": "users.id",
    "request_id": "book_requests.id",
    "return_id": "book_returns.id",
    "robot_id": "robots.id",
    "subscription_id": "push_subscriptions.id",
    "task_id": "delivery_tasks.id",
    "user_id": "users.id",
    "waypoint_id": "waypoints.id",
}
LONG_POLLS = {f"/api/v1/robot/bridge/{path}" for path in ("commands/next", "stop")}
PLACES = ("SR-201", "Study Room 202", "WS-1", "RS-1")
AnyCase = Any  # a schemathesis.Case, which mypy does not read (pyproject.toml)
MAX_SHOWN = 400  # characters of a body in a report
# As it is, and with parameters and bodies of others: to draw a case takes as long as five calls.
CALLS_OF_CASE = 4


@dataclass
class Fuzzer:
    """Calls of one run; equal seeds and counts give equal calls on equal code."""

    scenario: Scenario
    owner: Engine
    seed: int
    answered: Counter[int] = field(default_factory=Counter)  # calls by status
    problems: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.document = openapi.document()
        self._random = Random(self.seed)
        self._known: dict[str, list[str]] = {}
        self._actors: list[users.SignedInUser] = []

    def operations(self) -> Iterator[Any]:
        schema = schemathesis.openapi.from_dict(self.document)
        for result in schema.get_all_operations():
            yield result.ok()  # an invalid schema raises here

    def run(self, operation: Any, count: int) -> None:
        """Call one operation, two thirds of the time with values that its schema allows."""
        self._known = self._known_values()
        # New ones each time: a call may end a session, change a role or deactivate an account.
        self._actors = [users.admin(), users.admin(), users.librarian(), users.student()]
        self._actors.append(self.scenario.student)
        count = ceil(count / CALLS_OF_CASE)
        invalid = count // 3
        self._generate(operation, GenerationMode.POSITIVE, count - invalid)
        self._generate(operation, GenerationMode.NEGATIVE, invalid)

    def _generate(self, operation: Any, mode: GenerationMode, count: int) -> None:
        parameters: list[Any] = []  # those drawn so far
        bodies: list[Any] = []

        @seed(self.seed)
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: AnyCase) -> None:
            parameters.append((case.path_parameters, case.query))
            bodies.append((case.body, case.media_type))
            for number in range(CALLS_OF_CASE):
                path, query = self._random.choice(parameters) if number else parameters[-1]
                body, kind = self._random.choice(bodies) if number else bodies[-1]
                case.path_parameters, case.query = dict(path), dict(query)
                case.body, case.media_type = copy(body), kind
                self._call(case)

        try:
            call()
        except Unsatisfiable:  # an operation without parameters has no invalid call
            return

    def _known_values(self) -> dict[str, list[str]]:
        known = {}
        with self.owner.connect() as connection:
            for name in set(COLUMNS.values()):
                rows, _, own = name.partition(".")
                found: Select[Any] = select(column(own)).select_from(table(rows)).limit(4)
                known[name] = [str(value) for value in connection.execute(found).scalars()]
        return known

    def _call(self, case: AnyCase) -> None:
        self._use_known_values(case.path_parameters)
        self._use_known_values(case.query)
        if isinstance(case.body, dict):
            self._use_known_values(case.body)
        if case.path in LONG_POLLS:
            case.query = {**(case.query or {}), "wait": 0}
        words = case.as_transport_kwargs(base_url="http://testserver")
        words["headers"] = {**words["headers"], **self._credentials(case)}
        response = self.scenario.api.request(**_encodable(words))
        self.answered[response.status_code] += 1
        problem = self._problem(case, response)
        if problem is not None:
            label = f"{case.method} {case.path}"
            self.problems.setdefault((label, problem), _report(words, response))

    def _use_known_values(self, values: Any) -> None:
        """Replace some generated values by ones that exist, so that calls reach the rules."""
        for name in values or {}:
            known = self._known.get(COLUMNS.get(name, ""))
            if name.endswith("_location"):
                known = list(PLACES)
            elif name == "epoch":
                known = [self.scenario.robot.epoch]  # type: ignore[list-item]  # an int among ids
            if known and self._random.random() < 0.7:
                values[name] = self._random.choice(known)

    def _credentials(self, case: AnyCase) -> dict[str, str]:
        if "/bridge/" in case.path:
            return self.scenario.robot.headers
        if case.path.endswith("/logout"):
            return users.student().headers
        return self._random.choice(self._actors).headers

    def _problem(self, case: AnyCase, response: Any) -> str | None:
        operation = self.document["paths"][case.path][case.method.lower()]
        if response.status_code >= 500:
            return f"{response.status_code}"
        if str(response.status_code) not in operation["responses"]:
            return f"{response.status_code} is not documented"
        content = operation["responses"][str(response.status_code)].get("content", {})
        kind = response.headers.get("content-type", "").partition(";")[0]
        if kind not in content:
            return f"{kind} is not documented" if content else None
        if kind == "application/json" and not _is_json(response.content):
            return "the body is not JSON"
        return None


def _is_json(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False


def _encodable(words: dict[str, Any]) -> dict[str, Any]:
    """Give the client what it can send: it refuses lone surrogates in JSON, a real one does not."""
    left_out = {name for name, value in words.items() if value in (NOT_SET, None)} | {"cookies"}
    words = {name: value for name, value in words.items() if name not in left_out}
    if isinstance(words.get("data"), str | bytes):
        words["content"] = words.pop("data")
    if "files" in words:
        words["files"] = [(name, ("file", _as_bytes(value))) for name, value in _pairs(words)]
    if "json" in words:
        words["content"] = json.dumps(words.pop("json"))
        words["headers"] = {"Content-Type": "application/json", **words["headers"]}
    return words


def _pairs(words: dict[str, Any]) -> list[tuple[str, Any]]:
    files = words["files"]
    return list(files.items() if isinstance(files, dict) else files)


def _as_bytes(value: Any) -> bytes:
    content = value[1] if isinstance(value, tuple) else value
    return content if isinstance(content, bytes) else str(content).encode(errors="replace")


def _report(words: dict[str, Any], response: Any) -> str:
    sent = str(words.get("json", words.get("data", "")))[:MAX_SHOWN]
    code = response.text[:MAX_SHOWN]
    return f"{words['method']} {words['url']} {words.get('params')} {sent} -> {code}"
