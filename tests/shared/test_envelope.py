"""Every response has the envelope, also for errors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import AsyncConnection
from sqlalchemy import create_engine

from backend.delivery import queries
from backend.shared.infra import database, hot_reads, hot_transactions
from tests.factories import users
from tests.scenario import code_of, details_of


@pytest.fixture
def student(api: Any) -> users.SignedInUser:
    return users.student()


def _check(answer: Any, status: int, code: str) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["api-version"] == "v1"
    body = answer.json()
    assert set(body) == {"success", "error", "meta"}
    assert body["success"] is False
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert body["meta"]["request_id"] == answer.headers["x-request-id"]
    return body["error"]


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/requests/", "/", "/api/v1/deliveries/x/y"]
)
def test_unknown_path_and_trailing_slash_are_not_found(
    api: Any, student: users.SignedInUser, path: str
) -> None:
    _check(api.get(path, headers=student.headers), 404, "NOT_FOUND")


def test_wrong_method_names_the_allowed_ones(api: Any, student: users.SignedInUser) -> None:
    answer = api.patch("/api/v1/requests", headers=student.headers)
    _check(answer, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


def test_body_that_is_not_json_is_malformed(api: Any, student: users.SignedInUser) -> None:
    headers = {**student.headers, "Content-Type": "application/json"}
    for body in (b"{", b"{'a': 1}", b"\xff\xfe"):
        answer = api.post("/api/v1/requests", headers=headers, content=body)
        _check(answer, 400, "MALFORMED_JSON")


def test_other_media_type_is_refused(api: Any, student: users.SignedInUser) -> None:
    headers = {**student.headers, "Content-Type": "text/xml"}
    answer = api.post("/api/v1/requests", headers=headers, content=b"<a/>")
    _check(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_too_large_body_is_refused_before_any_other_check(api: Any) -> None:
    answer = api.post("/api/v1/requests", content=b"x" * 1_100_000)
    _check(answer, 413, "PAYLOAD_TOO_LARGE")


def test_announced_body_over_the_limit_is_refused_before_the_route_runs(
    api: Any, student: users.SignedInUser
) -> None:
    """Also by a route that does not read its body and would otherwise have done its work."""
    logout = api.post("/api/v1/auth/logout", content=b"x" * 1_100_000, headers=student.headers)
    _check(logout, 413, "PAYLOAD_TOO_LARGE")
    assert api.get("/api/v1/requests", headers=student.headers).status_code == 200


def test_import_may_be_larger_than_other_bodies(api: Any) -> None:
    large = b'{"books": [' + b" " * 1_100_000 + b"]}"
    headers = {**users.librarian().headers, "Content-Type": "application/json"}
    answer = api.post("/api/v1/books/bulk-import", content=large, headers=headers)
    _check(answer, 422, "VALIDATION_ERROR")


def test_chunked_body_is_limited_too(api: Any, student: users.SignedInUser) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = api.post("/api/v1/requests", content=pieces(), headers=student.headers)
    _check(answer, 413, "PAYLOAD_TOO_LARGE")


def test_invalid_fields_are_named_with_their_errors(api: Any, student: users.SignedInUser) -> None:
    body = {"book_id": "no-uuid", "request_location": " ", "colour": "red"}
    answer = api.post("/api/v1/requests", json=body, headers=student.headers)
    fields = _check(answer, 422, "VALIDATION_ERROR")["details"]["fields"]
    assert set(fields) == {"book_id", "request_location", "colour"}
    assert all(isinstance(each, list) and each for each in fields.values())


@pytest.mark.parametrize("hostile", ["a\0b", "\ud800", "x" * 101])
def test_text_that_cannot_be_stored_is_refused(
    api: Any, student: users.SignedInUser, hostile: str
) -> None:
    body = {"book_id": str(student.id), "request_location": hostile}
    headers = {**student.headers, "Content-Type": "application/json"}
    answer = api.post("/api/v1/requests", content=json.dumps(body), headers=headers)
    assert answer.status_code in {400, 422}


def test_authentication_precedes_validation(api: Any, student: users.SignedInUser) -> None:
    bad = {"json": {"nonsense": 1}}
    _check(api.post("/api/v1/requests", **bad), 401, "UNAUTHENTICATED")
    refused = api.post("/api/v1/robot/waypoints", headers=student.headers, **bad)
    _check(refused, 403, "ROLE_NOT_ALLOWED")
    stopping = api.post("/api/v1/robot/resume", headers=student.headers, **bad)
    _check(stopping, 403, "ROLE_NOT_ALLOWED")
    assert api.get("/api/v1/requests?limit=0").status_code == 401


def test_unexpected_error_reveals_no_internals(
    api: Any, student: users.SignedInUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> None:
        raise RuntimeError("SELECT secret FROM inside")

    monkeypatch.setattr(queries, "locations", crash)
    answer = api.get("/api/v1/deliveries/locations", headers=student.headers)
    _check(answer, 500, "INTERNAL_ERROR")
    for word in ("secret", "RuntimeError", "Traceback", ".py"):
        assert word not in answer.text


def test_valid_request_id_is_kept_and_invalid_one_replaced(
    api: Any, student: users.SignedInUser
) -> None:
    for given, kept in (("req_0123456789", True), ("req_<script>", False), ("x" * 70, False)):
        headers = {**student.headers, "X-Request-ID": given}
        answer = api.get("/api/v1/requests", headers=headers)
        assert (answer.headers["x-request-id"] == given) is kept
        assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]


def test_list_validates_page_limit_and_sort(api: Any, student: users.SignedInUser) -> None:
    def ask(query: str) -> Any:
        return api.get(f"/api/v1/requests?{query}", headers=student.headers)

    listed = ask("page=2&limit=5").json()
    assert listed["pagination"] == {
        "page": 2,
        "limit": 5,
        "total": 0,
        "total_pages": 0,
        "next_cursor": None,
    }
    for wrong in ("limit=0", "limit=101", "page=0", "order=up", "page=x"):
        _check(ask(wrong), 422, "VALIDATION_ERROR")
    unknown = _check(ask("sort=colour"), 422, "VALIDATION_ERROR")
    assert "requested_at" in unknown["details"]["fields"]["sort"][0]
    _check(ask("page=101&limit=100"), 422, "PAGE_TOO_DEEP")
    assert ask("page=100&limit=100").status_code == 200


@pytest.mark.parametrize("part", ["threads", "hot reads", "hot transactions"])
def test_unavailable_database_is_503_with_retry_after(
    student: users.SignedInUser, api: Any, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Neither to threads nor to the guards or a new request on the event loop is it there."""
    nowhere = "/nothing?host=/nonexistent"
    method, path, body = "GET", "notifications", None
    if part == "threads":
        dead = create_engine(f"postgresql+psycopg2://nobody@{nowhere}")
        monkeypatch.setattr(database, "reading_engine", lambda: dead)
        monkeypatch.setattr(database, "engine", lambda: dead)
    else:
        if part == "hot reads":
            api.portal.call(hot_reads.close)
        else:
            assert api.get("/api/v1/auth/me", headers=student.headers).status_code == 200
            api.portal.call(hot_transactions.close)
            method, path = "POST", "requests"
            body = {"book_id": str(student.id), "request_location": "SR-201"}
        monkeypatch.setattr(
            hot_reads,
            "connect",
            lambda *_: AsyncConnection.connect(f"postgresql://nobody@{nowhere}"),
        )
    answer = api.request(method, f"/api/v1/{path}", headers=student.headers, json=body)
    _check(answer, 503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0
    assert "nonexistent" not in answer.text


def test_too_long_idempotency_key_is_invalid(api: Any, student: users.SignedInUser) -> None:
    body = {"book_id": str(student.id), "request_location": "SR-201"}
    headers = {**student.headers, "Idempotency-Key": "k" * 129}
    refused = api.post("/api/v1/requests", json=body, headers=headers)
    assert code_of(refused) == "VALIDATION_ERROR"
    assert list(details_of(refused)["fields"]) == ["Idempotency-Key"]
