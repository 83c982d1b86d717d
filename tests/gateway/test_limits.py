"""Rate limits and client timeouts; `strict` allows four requests, two of them logins."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.gateway.conftest import Gateway, nginx, short_folder
from tests.gateway.raw_http import assert_error, connect, read_until_closed, send

UNLIMITED = [
    ("POST", "/api/v1/robot/emergency-stop"),
    ("POST", "/api/v1/robot/emergency-stop/7"),
    ("POST", "/api/v1/robot/bridge/heartbeat"),
    ("POST", "/api/v1/robot/bridge/session"),
    ("GET", "/api/v1/robot/bridge/commands/next?epoch=1&wait=25"),
    ("POST", "/api/v1/robot/bridge/commands/7/events"),
    ("GET", "/api/v1/robot/bridge/stop?after=1&wait=25"),
]
KEY = f"Authorization: Bearer luna_rb_{'0' * 12}_{'a-Z_9' * 8}aaa"
TOKEN = "Authorization: Bearer eyJhbGciOiJ.eyJzdWIiOi.c2lnbmF0dXJl"


def use_up_the_burst(gateway: Gateway) -> None:
    for _ in range(4):
        assert send(gateway.port, "/api/v1/books").status == 200


def test_address_over_the_rate_limit_is_429(strict: Gateway) -> None:
    use_up_the_burst(strict)
    for path in ("/api/v1/books", "/health", "/api/v1/notifications/ws"):
        response = send(strict.port, path, "X-Forwarded-For: 10.9.8.7", "X-Real-IP: 10.9.8.7")
        assert_error(response, 429, "RATE_LIMITED")
        assert response.header("Retry-After") == ["1"]
    large = send(strict.port, "/api/v1/books", method="POST", body=b"x" * 100_000)
    assert_error(large, 429, "RATE_LIMITED")
    assert len(strict.reached()) == 4


@pytest.mark.parametrize(("method", "path"), UNLIMITED)
def test_stops_heartbeats_and_polls_are_limited_without_credentials_alone(
    strict: Gateway, method: str, path: str
) -> None:
    use_up_the_burst(strict)
    for credentials in (KEY, TOKEN) * 3:
        assert send(strict.port, path, credentials, method=method).status == 200
    for made_up in ("X-Nothing: 1", "Authorization: Bearer luna_rb_1_a", "Authorization: Bearer"):
        assert_error(send(strict.port, path, made_up, method=method), 429, "RATE_LIMITED")


def test_flood_without_credentials_waits_in_line_while_others_are_served() -> None:
    """Sixty at once, of which the gateway passes twenty a second; a stop does not wait."""
    path = "/api/v1/robot/emergency-stop"
    with (
        short_folder() as folder,
        nginx(folder, {"LUNA_GATEWAY_RATE": "1000r/s"}) as gateway,
        ThreadPoolExecutor(60) as pool,
    ):
        began = time.monotonic()
        flood = [pool.submit(send, gateway.port, path, method="POST") for _ in range(60)]
        assert flood[0].result().status == 200
        assert send(gateway.port, path, TOKEN, method="POST").status == 200
        assert not all(each.done() for each in flood)
        assert {each.result().status for each in flood} == {200}
        assert time.monotonic() - began > 2.5


def test_enrollment_is_rate_limited(strict: Gateway) -> None:
    use_up_the_burst(strict)
    response = send(strict.port, "/api/v1/robot/bridge/enroll", method="POST")
    assert_error(response, 429, "RATE_LIMITED")


def test_encoded_login_path_shares_the_login_limit(strict: Gateway) -> None:
    assert send(strict.port, "/api/v1/auth/register", method="POST").status == 200
    assert send(strict.port, "/api/v1/auth/%6Cogin", method="POST").status == 200
    assert_error(send(strict.port, "/api/v1/auth/login", method="POST"), 429, "RATE_LIMITED")
    assert_error(
        send(strict.port, "/api/v1/auth/forgot-%70assword", method="POST"), 429, "RATE_LIMITED"
    )
    assert send(strict.port, "/api/v1/auth/me").status == 200


def test_limits_can_be_switched_off(gateway: Gateway) -> None:
    """Send more than the burst of 200 within a second."""
    request = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    last = request.replace(b"Host", b"Connection: close\r\nHost")
    with connect(gateway.port) as connection:
        connection.sendall(request * 400 + last)
        responses = read_until_closed(connection)
    assert responses.count(b"HTTP/1.1 200 OK") == 401


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
def test_client_that_stops_sending_is_disconnected(strict: Gateway, beginning: bytes) -> None:
    """Nginx logs 408 and closes the connection without a response."""
    with connect(strict.port) as connection, suppress(ConnectionResetError):
        connection.sendall(beginning)
        assert read_until_closed(connection) == b""


def test_slow_clients_do_not_delay_others(strict: Gateway) -> None:
    slow: list[socket.socket] = []
    try:
        for _ in range(500):
            slow.append(connect(strict.port))
            slow[-1].sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
        assert send(strict.port, "/health").status == 200
        for connection in slow:
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
    finally:
        for connection in slow:
            connection.close()
