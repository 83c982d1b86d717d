"""Deadlines, message size, calls at one time, browsers of other origins."""

from typing import Any

import grpc
import httpx
import pytest
from sqlalchemy import Engine, text

from tests.api.rpc import foreign_stubs
from tests.api.rpc.conftest import Stack
from tests.api.rpc.connect_json import LIBRARY
from tests.factories import users
from tests.ops.conftest import eventually

_BOOK = {"title": "Kindred", "author": "Octavia E. Butler"}
_LOCK = text("LOCK TABLE books IN ACCESS EXCLUSIVE MODE")


def _books(owner: Engine) -> int:
    with owner.connect() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM books")).scalar_one()
        return found


def _in_use(owner: Engine) -> bool:
    """Tell whether a transaction holds or awaits a lock on the books."""
    query = text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'books'::regclass)")
    with owner.connect() as connection:
        return bool(connection.execute(query).scalar_one())


def test_deadline_is_answered_and_nothing_is_written(stack: Stack, owner: Engine) -> None:
    headers = users.librarian().headers
    with owner.connect() as blocker:
        blocker.execute(_LOCK)
        answer = httpx.post(
            f"{stack.address}/{LIBRARY}/CreateBook",
            json=_BOOK,
            headers={**headers, "Connect-Timeout-Ms": "500"},
            timeout=30,
        )
        native = _native_code(stack, headers)
    assert answer.json()["code"] == "deadline_exceeded"
    assert native is grpc.StatusCode.DEADLINE_EXCEEDED
    eventually(lambda: not _in_use(owner), "both transactions have ended")
    assert _books(owner) == 0


def _native_code(stack: Stack, headers: dict[str, str]) -> grpc.StatusCode:
    stub = foreign_stubs.modules("LibraryService")[1].LibraryServiceStub
    request = foreign_stubs.messages(f"{LIBRARY}/CreateBook")[0](**_BOOK)
    metadata = [("authorization", headers["Authorization"])]
    with grpc.insecure_channel(stack.socket("book")) as channel:
        failed = stub(channel).CreateBook.future(request, metadata=metadata, timeout=0.5)
        code: grpc.StatusCode = failed.code()
    return code


def test_too_large_message_is_refused_by_code(stack: Stack) -> None:
    body = {**_BOOK, "description": "x" * (1024 * 1024 + 1)}
    headers = users.librarian().headers
    answer = httpx.post(f"{stack.address}/{LIBRARY}/CreateBook", json=body, headers=headers)
    assert answer.json()["code"] == "resource_exhausted"


def test_page_of_the_allowed_origin_alone_may_call(stack: Stack) -> None:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,connect-protocol-version,x-grpc-web",
    }
    url = f"{stack.address}/{LIBRARY}/GetBook"
    allowed = httpx.options(url, headers={"Origin": stack.origin, **asked})
    assert allowed.headers["access-control-allow-origin"] == stack.origin
    listed = allowed.headers["access-control-allow-headers"].lower()
    for name in ("connect-protocol-version", "connect-timeout-ms", "x-grpc-web", "grpc-timeout"):
        assert name in listed
    exposed = allowed.headers["access-control-expose-headers"].lower()
    assert "grpc-status-details-bin" in exposed
    other = httpx.options(url, headers={"Origin": "https://elsewhere.example", **asked})
    assert "access-control-allow-origin" not in other.headers


def test_calls_beyond_the_limit_are_refused(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.shared.infra import config
    from tests.api.rpc.connect_json import call

    none = config.RpcSettings().model_copy(update={"rpc_max_calls": 0})
    monkeypatch.setattr(config, "rpc", lambda: none)
    refused = call(api, f"{LIBRARY}/SearchBooks", {}, users.student().headers)
    assert refused.code == "resource_exhausted"
