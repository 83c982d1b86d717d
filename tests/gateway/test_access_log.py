"""The access log: one JSON line for each request, without secrets."""

import json
import time
from typing import Any

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import TIMEOUT, TIMESTAMP, exchange, send


def line_of(gateway: Gateway, request_id: str) -> dict[str, Any]:
    """Return the line of a request; Nginx writes it after the response."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        for line in gateway.log.read_text().splitlines():
            if request_id in line:
                found: dict[str, Any] = json.loads(line)
                return found
    raise AssertionError(f"no line for {request_id}")


def test_access_log_line_describes_request_and_response(gateway: Gateway) -> None:
    response = send(
        gateway.port, "/api/v1/books?q=x", 'User-Agent: a"b\\c', method="POST", body=b"{}"
    )
    [request_id] = response.header("X-Request-ID")
    line = line_of(gateway, request_id)
    assert TIMESTAMP.fullmatch(line.pop("timestamp"))
    assert 0 <= line.pop("seconds") < TIMEOUT
    assert 0 <= float(line.pop("upstream_seconds")) < TIMEOUT
    assert line == {
        "level": "info",
        "service": "nginx",
        "event": "request",
        "request_id": request_id,
        "network": "127.0.0.0/24",
        "method": "POST",
        "path": "/api/v1/books",
        "status": 200,
        "bytes": len(response.body),
        "upstream": "book",
        "user_agent": 'a"b\\c',
    }


def test_rejected_request_is_logged_with_its_original_path(gateway: Gateway) -> None:
    response = send(gateway.port, "/api/v1/auth/../../metrics?x=1")
    line = line_of(gateway, response.header("X-Request-ID")[0])
    assert (line["path"], line["status"]) == ("/api/v1/auth/../../metrics", 404)


def test_access_log_contains_no_secret(gateway: Gateway) -> None:
    secret = "Pl4nted-s3cret"
    send(
        gateway.port,
        f"/api/v1/auth/reset-password?token={secret}",
        f"Authorization: Bearer {secret}",
        f"Cookie: session={secret}",
        f"Referer: http://localhost/?token={secret}",
        f"Sec-WebSocket-Protocol: ticket.{secret}",
        method="POST",
        body=secret.encode(),
    )
    exchange(gateway.port, f"GET /?{secret} HTTP/1.1\r\nX: {secret}\r\n\r\n".encode())
    last = send(gateway.port, "/health").header("X-Request-ID")[0]
    line_of(gateway, last)
    assert secret not in gateway.log.read_text()


def test_access_log_line_is_json_for_any_input(gateway: Gateway) -> None:
    for request in (b"\x00\xff\x16\r\n\r\n", b'GET /"\\\xe9 HTTP/1.0\r\nHost: "\r\n\r\n'):
        exchange(gateway.port, request)
    last = send(gateway.port, "/health", 'User-Agent: "\xe9\t').header("X-Request-ID")[0]
    line_of(gateway, last)
    for line in gateway.log.read_text(encoding="ascii").splitlines():
        json.loads(line)


def test_error_log_names_no_client(strict: Gateway) -> None:
    """Erasure reaches no log: what fails is in the access log, with the network alone."""
    strict.services["book"].kill()
    assert {send(strict.port, "/api/v1/books").status for _ in range(9)} == {502, 429}
    assert strict.log.with_name("error.log").read_text(encoding="utf-8") == ""
