"""Headers that services and clients receive."""

import gzip

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import REQUEST_ID, Response, send

GOOD_ID = "req_0123456789abcdef-XYZ"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/api/v1/books", "/nothing"])
def test_valid_request_id_is_kept(gateway: Gateway, path: str) -> None:
    response = send(gateway.port, path, f"X-Request-ID: {GOOD_ID}")
    assert response.header("X-Request-ID") == [GOOD_ID]
    assert [got.header("X-Request-ID") for got in gateway.reached()] in ([], [[GOOD_ID]])
    assert path != "/nothing" or response.json()["meta"]["request_id"] == GOOD_ID


@pytest.mark.parametrize(
    "sent",
    ["", "abc", "req_short", "req_" + "a" * 65, "REQ_0123456789", 'req_01234567"}', "req_é" * 9],
)
def test_invalid_request_id_is_replaced(gateway: Gateway, sent: str) -> None:
    response = send(gateway.port, "/api/v1/books", f"X-Request-ID: {sent}")
    [made] = response.header("X-Request-ID")
    assert REQUEST_ID.fullmatch(made)
    assert made != sent
    assert [got.header("X-Request-ID") for got in gateway.reached()] == [[made]]


def test_generated_request_ids_differ(gateway: Gateway) -> None:
    responses = [send(gateway.port, "/health") for _ in range(3)]
    assert len({response.header("X-Request-ID")[0] for response in responses}) == 3


def test_forwarding_headers_of_a_client_are_replaced(gateway: Gateway) -> None:
    send(
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
    received = {name.lower(): value for name, value in got.headers}
    assert received == {
        "host": "localhost",
        "x-request-id": got.header("X-Request-ID")[0],
        "x-real-ip": "127.0.0.1",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "localhost",
    }


def test_headers_of_the_api_reach_the_service(gateway: Gateway) -> None:
    sent = {
        "Authorization": "Bearer abc",
        "Idempotency-Key": "k-1",
        "If-Match": '"3"',
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "PUT",
        "Content-Type": "application/json",
    }
    lines = [f"{name}: {value}" for name, value in sent.items()]
    send(gateway.port, "/api/v1/books", *lines, method="OPTIONS")
    [got] = gateway.reached()
    assert {name: got.header(name) for name in sent} == {n: [v] for n, v in sent.items()}


def assert_secured(response: Response, policy: str = API_POLICY) -> None:
    assert response.header("API-Version") == ["v1"]
    assert len(response.header("X-Request-ID")) == 1
    assert response.header("X-Content-Type-Options") == ["nosniff"]
    assert response.header("X-Frame-Options") == ["DENY"]
    assert response.header("Referrer-Policy") == ["no-referrer"]
    assert response.header("Cache-Control") == ["no-store"]
    assert response.header("Content-Security-Policy") == [policy]
    assert response.header("Server") == ["nginx"]


@pytest.mark.parametrize("status", [200, 201, 404, 409, 500])
def test_service_response_has_each_security_header_once(gateway: Gateway, status: int) -> None:
    assert_secured(send(gateway.port, f"/api/v1/books?status={status}"))
    assert_secured(
        send(gateway.port, f"/api/v1/books?status={status}&header=X-Frame-Options:ALLOW")
    )


def test_gateway_error_has_each_security_header_once(gateway: Gateway) -> None:
    assert_secured(send(gateway.port, "/nothing"))
    assert_secured(send(gateway.port, "/health", "Host: evil.example"))
    assert_secured(send(gateway.port, "/health", "Content-Length: x"))
    assert_secured(send(gateway.port, "/api/v1/books?do=drop"))


def test_docs_page_may_run_its_own_scripts(gateway: Gateway) -> None:
    [policy] = send(gateway.port, "/api/v1/docs").header("Content-Security-Policy")
    assert "script-src 'self' 'unsafe-inline'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "header",
    ["Cache-Control:max-age=300", "Content-Security-Policy:sandbox", "Retry-After:7", "Allow:GET"],
)
def test_header_of_a_service_overrides_the_default(gateway: Gateway, header: str) -> None:
    name, value = header.split(":")
    response = send(gateway.port, f"/api/v1/books?status=429&header={header}")
    assert response.header(name) == [value]


def test_429_and_503_of_a_service_get_retry_after(gateway: Gateway) -> None:
    waits = {s: send(gateway.port, f"/health?status={s}").header("Retry-After") for s in (429, 503)}
    assert waits == {429: ["1"], 503: ["2"]}
    assert send(gateway.port, "/health?status=409").header("Retry-After") == []


def test_internal_redirect_of_a_service_is_ignored(gateway: Gateway) -> None:
    response = send(gateway.port, "/api/v1/books?header=X-Accel-Redirect:/_gateway/error")
    assert response.json() == {"service": "book"}
    assert response.header("X-Accel-Redirect") == []


def test_etag_stays_strong(gateway: Gateway) -> None:
    path = "/api/v1/books/1?header=ETag:%223%22&body=" + "x" * 3000
    response = send(gateway.port, path, "Accept-Encoding: gzip")
    assert response.header("ETag") == ['"3"']
    assert response.header("Content-Encoding") == []


def test_long_list_is_compressed(gateway: Gateway) -> None:
    path = "/api/v1/deliveries?body=" + "x" * 3000
    response = send(gateway.port, path, "Accept-Encoding: gzip")
    assert response.header("Content-Encoding") == ["gzip"]
    assert response.header("Vary") == ["Accept-Encoding"]
    start = response.body.index(b"\r\n") + 2  # after the size of the only chunk
    assert gzip.decompress(response.body[start:].removesuffix(b"\r\n0\r\n\r\n")) == b"x" * 3000
    assert_secured(response)


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        ("GET", "/api/v1/deliveries", "Accept-Encoding: identity"),
        ("POST", "/api/v1/requests", "Accept-Encoding: gzip"),
        ("GET", "/api/v1/auth/me", "Accept-Encoding: gzip"),
    ],
)
def test_nothing_else_is_compressed(gateway: Gateway, method: str, path: str, header: str) -> None:
    response = send(gateway.port, f"{path}?body={'x' * 3000}", header, method=method)
    assert response.header("Content-Encoding") == []
    assert len(response.body) == 3000
