"""What services and clients are told in headers."""

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import REQUEST_ID, Answer, ask

GOOD_ID = "req_0123456789abcdef-XYZ"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/api/v1/books", "/nothing"])
def test_a_valid_request_id_is_kept(gateway: Gateway, path: str) -> None:
    answer = ask(gateway.port, path, f"X-Request-ID: {GOOD_ID}")
    assert answer.header("X-Request-ID") == [GOOD_ID]
    assert [got.header("X-Request-ID") for got in gateway.reached()] in ([], [[GOOD_ID]])
    assert path != "/nothing" or answer.json()["meta"]["request_id"] == GOOD_ID


@pytest.mark.parametrize(
    "sent",
    ["", "abc", "req_short", "req_" + "a" * 65, "REQ_0123456789", 'req_01234567"}', "req_é" * 9],
)
def test_another_is_replaced(gateway: Gateway, sent: str) -> None:
    answer = ask(gateway.port, "/api/v1/books", f"X-Request-ID: {sent}")
    [made] = answer.header("X-Request-ID")
    assert REQUEST_ID.fullmatch(made)
    assert made != sent
    assert [got.header("X-Request-ID") for got in gateway.reached()] == [[made]]


def test_each_request_has_its_own_id(gateway: Gateway) -> None:
    answers = [ask(gateway.port, "/health") for _ in range(3)]
    assert len({answer.header("X-Request-ID")[0] for answer in answers}) == 3


def test_what_a_client_says_of_itself_proves_nothing(gateway: Gateway) -> None:
    ask(
        gateway.port,
        "/api/v1/books",
        "X-Forwarded-For: 10.9.8.7",
        "X-Real-IP: 10.9.8.7",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Port: 1",
        "X-Forwarded-Prefix: /evil",
        "X-Forwarded-Server: evil.example",
        "Forwarded: for=10.9.8.7;host=evil.example",
        "X-Original-URL: /metrics",
        "X-Rewrite-URL: /metrics",
        "X-HTTP-Method-Override: DELETE",
        "Proxy: http://evil.example",
        "X_Real_IP: 10.9.8.7",
        "TE: trailers",
    )
    [got] = gateway.reached()
    told = {name.lower(): value for name, value in got.headers}
    assert told == {
        "host": "localhost",
        "x-request-id": got.header("X-Request-ID")[0],
        "x-real-ip": "127.0.0.1",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "localhost",
    }


def test_what_the_api_needs_of_a_client_passes(gateway: Gateway) -> None:
    sent = {
        "Authorization": "Bearer abc",
        "Idempotency-Key": "k-1",
        "If-Match": '"3"',
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "PUT",
        "Content-Type": "application/json",
    }
    lines = [f"{name}: {value}" for name, value in sent.items()]
    ask(gateway.port, "/api/v1/books", *lines, method="OPTIONS")
    [got] = gateway.reached()
    assert {name: got.header(name) for name in sent} == {n: [v] for n, v in sent.items()}


def assert_secured(answer: Answer, policy: str = API_POLICY) -> None:
    assert answer.header("API-Version") == ["v1"]
    assert len(answer.header("X-Request-ID")) == 1
    assert answer.header("X-Content-Type-Options") == ["nosniff"]
    assert answer.header("X-Frame-Options") == ["DENY"]
    assert answer.header("Referrer-Policy") == ["no-referrer"]
    assert answer.header("Cache-Control") == ["no-store"]
    assert answer.header("Content-Security-Policy") == [policy]
    assert answer.header("Server") == ["nginx"]


@pytest.mark.parametrize("status", [200, 201, 404, 409, 500])
def test_each_answer_of_a_service_is_secured_once(gateway: Gateway, status: int) -> None:
    assert_secured(ask(gateway.port, f"/api/v1/books?status={status}"))
    assert_secured(ask(gateway.port, f"/api/v1/books?status={status}&header=X-Frame-Options:ALLOW"))


def test_so_is_each_refusal_of_the_gateway(gateway: Gateway) -> None:
    assert_secured(ask(gateway.port, "/nothing"))
    assert_secured(ask(gateway.port, "/health", "Host: evil.example"))
    assert_secured(ask(gateway.port, "/health", "Content-Length: x"))
    assert_secured(ask(gateway.port, "/api/v1/books?do=drop"))


def test_the_page_of_the_docs_may_run_its_own_scripts(gateway: Gateway) -> None:
    [policy] = ask(gateway.port, "/api/v1/docs").header("Content-Security-Policy")
    assert "script-src 'self' 'unsafe-inline'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "header",
    ["Cache-Control:max-age=300", "Content-Security-Policy:sandbox", "Retry-After:7", "Allow:GET"],
)
def test_a_services_own_word_wins(gateway: Gateway, header: str) -> None:
    name, value = header.split(":")
    answer = ask(gateway.port, f"/api/v1/books?status=429&header={header}")
    assert answer.header(name) == [value]


def test_a_limited_or_failing_service_always_says_when_to_retry(gateway: Gateway) -> None:
    waits = {s: ask(gateway.port, f"/health?status={s}").header("Retry-After") for s in (429, 503)}
    assert waits == {429: ["1"], 503: ["2"]}
    assert ask(gateway.port, "/health?status=409").header("Retry-After") == []


def test_a_service_cannot_send_the_gateway_elsewhere(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/api/v1/books?header=X-Accel-Redirect:/_gateway/error")
    assert answer.json() == {"service": "book"}
    assert answer.header("X-Accel-Redirect") == []


def test_etags_stay_strong(gateway: Gateway) -> None:
    path = "/api/v1/books?header=ETag:%223%22&body=" + "x" * 3000
    answer = ask(gateway.port, path, "Accept-Encoding: gzip")
    assert answer.header("ETag") == ['"3"']
