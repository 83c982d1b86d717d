"""One line of JSON for each request, and no secret in any."""

import json
import time
from typing import Any

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import PATIENCE, TIMESTAMP, ask, exchange


def line_of(gateway: Gateway, request_id: str) -> dict[str, Any]:
    """It is written when the answer has left, so perhaps a moment later."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for line in gateway.log.read_text().splitlines():
            if request_id in line:
                found: dict[str, Any] = json.loads(line)
                return found
    raise AssertionError(f"no line for {request_id}")


def test_a_line_tells_who_asked_what_and_how_it_went(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/api/v1/books?q=x", 'User-Agent: a"b\\c', method="POST", body=b"{}")
    [request_id] = answer.header("X-Request-ID")
    line = line_of(gateway, request_id)
    assert TIMESTAMP.fullmatch(line.pop("timestamp"))
    assert 0 <= line.pop("seconds") < PATIENCE
    assert 0 <= float(line.pop("upstream_seconds")) < PATIENCE
    assert line == {
        "level": "info",
        "service": "nginx",
        "event": "request",
        "request_id": request_id,
        "address": "127.0.0.1",
        "method": "POST",
        "path": "/api/v1/books",
        "status": 200,
        "bytes": len(answer.body),
        "upstream": "book",
        "user_agent": 'a"b\\c',
    }


def test_a_refusal_is_logged_with_the_path_that_was_asked_for(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/api/v1/auth/../../metrics?x=1")
    line = line_of(gateway, answer.header("X-Request-ID")[0])
    assert (line["path"], line["status"]) == ("/api/v1/auth/../../metrics", 404)


def test_no_secret_is_ever_written(gateway: Gateway) -> None:
    secret = "Pl4nted-s3cret"
    ask(
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
    last = ask(gateway.port, "/health").header("X-Request-ID")[0]
    line_of(gateway, last)
    assert secret not in gateway.log.read_text()


def test_every_line_is_json_whatever_was_sent(gateway: Gateway) -> None:
    for request in (b"\x00\xff\x16\r\n\r\n", b'GET /"\\\xe9 HTTP/1.0\r\nHost: "\r\n\r\n'):
        exchange(gateway.port, request)
    last = ask(gateway.port, "/health", 'User-Agent: "\xe9\t').header("X-Request-ID")[0]
    line_of(gateway, last)
    for line in gateway.log.read_text(encoding="ascii").splitlines():
        json.loads(line)
