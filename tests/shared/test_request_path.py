"""The two ways through LUNA: what a request costs in statements, and hot reads that stay right."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, Select, func, literal_column, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.compiler import SQLCompiler

from backend.auth import queries as auth_queries
from backend.book.service import availability
from backend.delivery import queries as delivery_queries
from backend.notification import queries as notification_queries
from backend.robot import queries as robot_queries
from backend.shared.infra import database, hot_reads, request_context
from backend.shared.infra.hot_reads import HotRead
from backend.shared.infra.request_context import RequestContext
from backend.shared.models import RequestStatus, RobotStatus
from backend.shared.web.pagination import Order, PageQuery
from backend.shared.web.security import session_validity
from tests import statements
from tests.factories import users
from tests.scenario import Scenario, code_of, start_scenario

# Statements of a repeated request, with the state of its session known to the process.
STATEMENTS = {
    "/auth/.well-known/jwks.json": 0,
    "/auth/me": 1,
    "/notifications/unread-count": 1,
    "/books/{book}": 0,
    "/books?q=hand": 0,
    "/books/{book}/availability": 1,
    "/requests": 1,
    "/requests?status=PENDING&sort=status&order=asc": 1,
    "/robot/status": 1,
    "/robot/status?status=IDLE": 1,
    "/notifications": 2,
    "/loans": 3,
    "/deliveries": 2,
}
# No SQLAlchemy statement is built for these: a hot read is ready, a cached read needs none.
HOT = [path for path, count in STATEMENTS.items() if count < 2]
PAGE = {"limit": 20}
MAX_STATEMENTS_OF_A_NEW_REQUEST = 3


@pytest.fixture
def scenario(api: Any) -> Scenario:
    made = start_scenario(api, copies=2)
    made.request_delivery()
    return made


@contextmanager
def _counted(monkeypatch: pytest.MonkeyPatch, kind: type, method: str) -> Iterator[list[object]]:
    """Record each call of a method, but for the requests and tasks of others."""
    calls: list[object] = []
    original = getattr(kind, method)

    def counting(self: object, *args: Any, **options: Any) -> Any:
        if request_context.current().request_id == statements.REQUEST_ID:
            calls.append(args)
        return original(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(kind, method, counting)
        yield calls


def _get(scenario: Scenario, path: str) -> Any:
    user = scenario.librarian if path.startswith(("/robot", "/deliveries")) else scenario.student
    headers = {**user.headers, "X-Request-ID": statements.REQUEST_ID}
    return scenario.call(user, "GET", path.format(book=scenario.book), headers=headers)


@pytest.mark.parametrize("path", STATEMENTS)
def test_number_of_statements_of_a_read(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    _get(scenario, path)
    with statements.sent(monkeypatch) as sent:
        _get(scenario, path)
    assert len(sent) == STATEMENTS[path], sent


@pytest.mark.parametrize("path", STATEMENTS)
def test_repeated_read_compiles_no_statement(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for _ in range(2):  # the cache key of a joined subquery changes once, when it is first compiled
        _get(scenario, path)
    with _counted(monkeypatch, SQLCompiler, "__init__") as compiled:
        _get(scenario, path)
    assert compiled == []


@pytest.mark.parametrize("path", HOT)
def test_repeated_hot_read_builds_no_statement(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    _get(scenario, path)
    with _counted(monkeypatch, Select, "_generate") as built:
        _get(scenario, path)
    assert built == []


def test_direct_reads_answer_as_the_framework_does(scenario: Scenario) -> None:
    """The arguments of a query are remembered: neither errors nor other callers share them."""
    for path in ("/requests?limit=0", "/requests?page=101&limit=100", "/requests?status=NONE"):
        for _ in range(2):
            assert code_of(scenario.call(scenario.student, "GET", path, 422))
    assert scenario.get(scenario.student, "/requests?status=PENDING")
    assert scenario.get(users.student(), "/requests?status=PENDING") == []
    assert len(scenario.get(scenario.student, "/requests?limit=1&limit=2")) == 1
    scenario.call(None, "GET", "/requests?status=PENDING", 401)
    scenario.call(scenario.student, "GET", "/books/no-uuid", 422)
    assert scenario.call(scenario.student, "PATCH", "/requests", 405).headers["allow"]


_BOOK, _PLACE = b"01980000-0000-7000-8000-000000000000", b"SR-201"
_BODIES = (
    *(b"{", b"[]", b"null", b"{}", b'"text"', b"NaN", b"[" * 50_000, b"\xff{}"),
    b'{"book_id":"%b"}' % _BOOK,
    b'{"book_id":"no-uuid","request_location":"%b"}' % _PLACE,
    b'{"book_id":"%b","request_location":7}' % _BOOK,
    b'{"book_id":"%b","request_location":""}' % _BOOK,
    b'{"book_id":"%b","request_location":"%b","unknown":1}' % (_BOOK, _PLACE),
    b'{"book_id":"%b","request_location":"%b","notes":"\\u0000"}' % (_BOOK, _PLACE),
    b'{"book_id":"%b","request_location":"%b","\\ud800":1}' % (_BOOK, _PLACE),
    b'{"book_id":"%b","request_location":"\\ud800"}' % _BOOK,
    '{"request_location":7}'.encode("utf-16"),
    b'{"book_id":"%b","request_location":"%b","user_id":"%b"}' % (_BOOK, _PLACE, _BOOK),
    b'{"book_id":"%b","request_location":"%b"}' % (_BOOK, _PLACE),  # a book that does not exist
)


@pytest.mark.parametrize("body", _BODIES, ids=range(len(_BODIES)))
def test_direct_write_answers_as_the_framework_does(scenario: Scenario, body: bytes) -> None:
    """FastAPI answers what has another content type than a direct write serves."""
    answers = []
    for content_type in ("application/json", "application/vnd.luna+json"):
        headers = scenario.student.headers | {"Content-Type": content_type}
        found = scenario.api.post("/api/v1/requests", content=body, headers=headers)
        error = found.json()["error"]
        answers.append(
            (found.status_code, error["code"], sorted(error["details"].get("fields", ())))
        )
    assert answers[0] == answers[1]


def test_direct_write_leaves_odd_requests_to_the_framework(scenario: Scenario) -> None:
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    own = scenario.student.headers
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"content": b"{}"}, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content": b"{}", "headers": {"Content-Type": "text/plain"}}, "UNSUPPORTED_MEDIA_TYPE"),
        ({"headers": {"Content-Type": "application/json"}}, "VALIDATION_ERROR"),
        ({"json": body, "headers": {"Idempotency-Key": "x" * 129}}, "VALIDATION_ERROR"),
        ({"json": body}, "ALREADY_REQUESTED"),
    )
    for options, code in cases:
        headers = own | options.pop("headers", {})
        found = scenario.api.post("/api/v1/requests", headers=headers, **options)
        assert code_of(found) == code
    assert code_of(scenario.api.post("/api/v1/requests", json=body)) == "UNAUTHENTICATED"


_TERMINATE = (  # of this database: other test workers use the same server and roles
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND "
)


def test_connection_that_the_server_closed_is_replaced(
    scenario: Scenario, superuser: Engine
) -> None:
    """Without a statement that checks each connection before its use."""
    scenario.get(scenario.librarian, "/deliveries")
    with superuser.begin() as connection:
        ended = connection.execute(text(_TERMINATE + "usename = :name"), {"name": "luna_operator"})
        assert ended.all()
    scenario.get(scenario.librarian, "/deliveries")
    scenario.as_student("cancel")
    scenario.request_delivery()


def test_read_without_a_transaction_is_one_statement(clean: None, superuser: Engine) -> None:
    read = text("SELECT pg_backend_pid()")
    used = set()
    for _ in range(3):
        with database.reading_engine().connect() as connection:
            used.add(connection.execute(read).scalar_one())
    with superuser.connect() as connection:
        last = text("SELECT query FROM pg_stat_activity WHERE pid = ANY(:pids)")
        sent = connection.execute(last, {"pids": list(used)}).scalars().all()
    assert set(sent) == {read.text}


def test_number_of_statements_of_a_new_request(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.as_student("cancel")
    with statements.sent(monkeypatch) as sent:
        body = {"book_id": str(scenario.book), "request_location": "SR-201"}
        headers = {"X-Request-ID": statements.REQUEST_ID}
        scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=headers)
    assert len(sent) <= MAX_STATEMENTS_OF_A_NEW_REQUEST, sent


Read = Callable[[Scenario], tuple[HotRead, dict[str, Any]]]
READS: dict[str, Read] = {
    "profile": lambda of: (auth_queries.PROFILE, {"user_id": of.student.id}),
    "unread": lambda of: (notification_queries.UNREAD, {"user_id": of.student.id}),
    "availability": lambda of: (availability.AVAILABILITY, {"book_id": of.book}),
    "sessions": lambda of: (session_validity.STATES, {"ids": [of.student.session_id]}),
    "requests": lambda of: (
        delivery_queries.REQUESTS.reads(PageQuery(), "user_id", "status")[0],
        {"user_id": of.student.id, "status": RequestStatus.PENDING, **PAGE},
    ),
    "robots": lambda _: (
        robot_queries.ROBOTS.reads(PageQuery(sort="created_at", order=Order.DESC), "status")[0],
        {"status": RobotStatus.IDLE, **PAGE},
    ),
}


@pytest.mark.parametrize("name", READS)
def test_hot_read_returns_what_a_session_returns(scenario: Scenario, name: str) -> None:
    read, parameters = READS[name](scenario)
    with database.transaction() as session:
        expected = [tuple(row) for row in session.execute(read.statement, parameters)]
    found = scenario.api.portal.call(partial(read.all, **parameters))
    assert expected
    assert [tuple(row) for row in found] == expected
    assert [list(map(type, row)) for row in found] == [list(map(type, row)) for row in expected]
    records = scenario.api.portal.call(partial(read.records, **parameters))
    assert [read.row(record) for record in records] == found
    assert [list(map(type, read.row(each))) for each in records] == [
        list(map(type, row)) for row in found
    ]


def test_read_whose_connections_were_lost_is_run_again(
    scenario: Scenario, superuser: Engine
) -> None:
    _get(scenario, "/auth/me")
    with superuser.begin() as connection:
        name = {"name": hot_reads.APPLICATION_NAME}
        assert connection.execute(text(_TERMINATE + "application_name = :name"), name).all()
    _get(scenario, "/auth/me")


def test_read_that_loses_its_connection_is_run_again(scenario: Scenario, superuser: Engine) -> None:
    slow = HotRead(select(literal_column("pg_sleep(1)")))
    running = scenario.api.portal.start_task_soon(slow.all)
    ending = text(_TERMINATE + "application_name = :name AND query LIKE '%pg_sleep(1)%'")
    ended: Sequence[object] = ()
    while not ended:  # each time in a transaction of its own: one sees the same activity
        with superuser.begin() as connection:
            ended = connection.execute(ending, {"name": hot_reads.APPLICATION_NAME}).all()
    assert len(running.result(10)) == 1


def test_read_that_takes_too_long_ends_in_time(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = HotRead(select(literal_column("pg_sleep(10)")))
    monkeypatch.setattr(hot_reads, "_TIMEOUT", 0.05)
    with pytest.raises(PoolTimeout):
        scenario.api.portal.call(slow.all)
    monkeypatch.undo()
    _get(scenario, "/auth/me")  # its connection is not used again


def _build_a_statement() -> None:
    request_context.begin(RequestContext(statements.REQUEST_ID))
    str(select(func.now()).where(func.random() > 1))


def test_statement_built_for_a_call_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        _counted(monkeypatch, Select, "_generate") as built,
        _counted(monkeypatch, SQLCompiler, "__init__") as compiled,
    ):
        copy_context().run(_build_a_statement)
    assert built
    assert compiled
