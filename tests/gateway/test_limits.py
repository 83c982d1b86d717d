"""How much and how slowly an address may ask: `strict` allows four requests, two to sign in."""

import socket
from contextlib import suppress

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import ask, connect, refusal, until_closed

UNLIMITED = [
    ("POST", "/api/v1/robot/emergency-stop"),
    ("POST", "/api/v1/robot/emergency-stop/7"),
    ("POST", "/api/v1/robot/bridge/heartbeat"),
    ("POST", "/api/v1/robot/bridge/session"),
    ("GET", "/api/v1/robot/bridge/commands/next?epoch=1&wait=25"),
    ("POST", "/api/v1/robot/bridge/commands/7/events"),
    ("GET", "/api/v1/robot/bridge/stop?after=1&wait=25"),
]


def use_up(gateway: Gateway) -> None:
    for _ in range(4):
        assert ask(gateway.port, "/api/v1/books").status == 200


def test_an_address_that_asks_too_much_is_told_to_wait(strict: Gateway) -> None:
    use_up(strict)
    for path in ("/api/v1/books", "/health", "/api/v1/notifications/ws"):
        answer = ask(strict.port, path, "X-Forwarded-For: 10.9.8.7", "X-Real-IP: 10.9.8.7")
        refusal(answer, 429, "RATE_LIMITED")
        assert answer.header("Retry-After") == ["1"]
    large = ask(strict.port, "/api/v1/books", method="POST", body=b"x" * 100_000)
    refusal(large, 429, "RATE_LIMITED")
    assert len(strict.reached()) == 4


@pytest.mark.parametrize(("method", "path"), UNLIMITED)
def test_stops_heartbeats_and_polls_are_never_limited(
    strict: Gateway, method: str, path: str
) -> None:
    use_up(strict)
    for _ in range(5):
        assert ask(strict.port, path, method=method).status == 200


def test_guessing_enrolment_codes_is_limited(strict: Gateway) -> None:
    use_up(strict)
    answer = ask(strict.port, "/api/v1/robot/bridge/enroll", method="POST")
    refusal(answer, 429, "RATE_LIMITED")


def test_signing_in_has_a_limit_of_its_own_that_spelling_does_not_avoid(strict: Gateway) -> None:
    assert ask(strict.port, "/api/v1/auth/register", method="POST").status == 200
    assert ask(strict.port, "/api/v1/auth/%6Cogin", method="POST").status == 200
    refusal(ask(strict.port, "/api/v1/auth/login", method="POST"), 429, "RATE_LIMITED")
    refusal(ask(strict.port, "/api/v1/auth/forgot-%70assword", method="POST"), 429, "RATE_LIMITED")
    assert ask(strict.port, "/api/v1/auth/me").status == 200


def test_limits_can_be_off(gateway: Gateway) -> None:
    """More than a burst of 200, in less than the second that would forgive them."""
    request = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    last = request.replace(b"Host", b"Connection: close\r\nHost")
    with connect(gateway.port) as connection:
        connection.sendall(request * 400 + last)
        answers = until_closed(connection)
    assert answers.count(b"HTTP/1.1 200 OK") == 401


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET /health HTTP/1.1\r\nHost: local",
        b"POST /api/v1/books HTTP/1.1\r\nContent-Length: 9\r\nHost: localhost\r\n\r\nabc",
        b"POST /api/v1/books/bulk-import HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=["nothing", "half a header", "half a body", "half an import"],
)
def test_a_client_that_stops_in_the_middle_is_cut_off(strict: Gateway, beginning: bytes) -> None:
    """Nginx has no words for it: it notes 408 and hangs up, in the way that costs no memory."""
    with connect(strict.port) as connection, suppress(ConnectionResetError):
        connection.sendall(beginning)
        assert until_closed(connection) == b""


def test_many_slow_clients_do_not_hinder_a_quick_one(strict: Gateway) -> None:
    slow: list[socket.socket] = []
    try:
        for _ in range(500):
            slow.append(connect(strict.port))
            slow[-1].sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
        assert ask(strict.port, "/health").status == 200
        for connection in slow:
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
    finally:
        for connection in slow:
            connection.close()
