"""Long connections: WebSockets, long polls, large imports."""

import socket
import threading

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import TIMEOUT, Response, assert_error, connect, parse, send

HANDSHAKE = (
    b"GET /api/v1/notifications/ws HTTP/1.1\r\n"
    b"Host: localhost\r\n"
    b"Upgrade: WebSocket\r\n"
    b"Connection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: luna.v1, ticket.abc\r\n"
    b"Origin: https://app.example\r\n\r\n"
)
POLLS = ["/api/v1/robot/bridge/commands/next", "/api/v1/robot/bridge/stop"]


def read_head(connection: socket.socket) -> Response:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += connection.recv(1)
    return parse(data)


def test_websocket_is_upgraded_and_carries_both_directions(gateway: Gateway) -> None:
    with connect(gateway.port) as connection:
        connection.sendall(HANDSHAKE)
        response = read_head(connection)
        assert response.status == 101
        assert response.header("Sec-WebSocket-Accept") == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
        assert len(response.header("X-Request-ID")) == 1
        for frame in (b"\x81\x05hello", bytes(range(256))):
            connection.sendall(frame)
            assert connection.recv(1024) == frame
    [got] = gateway.reached()
    assert got.header("Sec-WebSocket-Protocol") == ["luna.v1, ticket.abc"]
    assert got.header("Origin") == ["https://app.example"]


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "luna"])
def test_no_other_upgrade_reaches_a_service(gateway: Gateway, protocol: str) -> None:
    optionses = [
        f"Upgrade: {protocol}",
        "Connection: Upgrade, HTTP2-Settings",
        "HTTP2-Settings: AA",
    ]
    for path in ("/api/v1/books", "/health", "/api/v1/notifications"):
        with connect(gateway.port) as connection:
            lines = "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *optionses])
            connection.sendall(lines.encode() + b"\r\n\r\n")
            assert read_head(connection).status == 200
    assert send(gateway.port, "/api/v1/notifications/ws", "Upgrade: h2c").status == 200
    assert [got.header("Upgrade") + got.header("Connection") for got in gateway.reached()] == [
        []
    ] * 4


@pytest.mark.parametrize("path", POLLS)
def test_long_polls_and_websockets_outlast_the_response_timeout(strict: Gateway, path: str) -> None:
    """An ordinary request that started later times out first."""
    with connect(strict.port) as poll, connect(strict.port) as live:
        poll.sendall(f"GET {path}?do=silence HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        live.sendall(HANDSHAKE)
        assert read_head(live).status == 101
        assert_error(send(strict.port, "/api/v1/books?do=silence"), 504, "SERVICE_UNAVAILABLE")
        strict.services["robot"].release.set()
        assert read_head(poll).status == 200
        live.sendall(b"still there?")
        assert live.recv(100) == b"still there?"


@pytest.mark.parametrize("path", POLLS)
def test_long_poll_response_is_not_buffered(strict: Gateway, path: str) -> None:
    with connect(strict.port) as poll:
        poll.sendall(f"GET {path}?do=drip&body=ab HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert read_head(poll).status == 200
        assert poll.recv(10) == b"a"
        strict.services["robot"].release.set()
        assert poll.recv(10) == b"b"


def test_long_poll_of_a_disconnected_client_is_closed_at_the_service(strict: Gateway) -> None:
    with connect(strict.port) as poll:
        path = f"{POLLS[0]}?do=watch"
        poll.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert strict.services["robot"].first_bytes.wait(TIMEOUT)
    assert strict.services["robot"].release.wait(TIMEOUT)


def test_import_body_is_streamed_to_the_service(gateway: Gateway) -> None:
    with connect(gateway.port) as connection:
        head = b"POST /api/v1/books/bulk-import HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(head + b"Content-Length: 200000\r\n\r\n" + b"x" * 100_000)
        assert gateway.services["book"].first_bytes.wait(TIMEOUT)
        assert gateway.reached() == []
        connection.sendall(b"y" * 100_000)
        assert read_head(connection).status == 200
    [got] = gateway.reached()
    assert got.body == b"x" * 100_000 + b"y" * 100_000


def test_ordinary_body_is_buffered_until_complete(gateway: Gateway) -> None:
    """A slow client occupies no connection to a service."""
    with connect(gateway.port) as slow:
        head = b"POST /api/v1/books HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n"
        slow.sendall(head + b"abc")
        assert send(gateway.port, "/api/v1/books").status == 200
        assert not gateway.services["book"].first_bytes.is_set()
        slow.sendall(b"def")
        assert read_head(slow).status == 200


def test_post_is_never_retried(gateway: Gateway) -> None:
    """Not even when Nginx sent it over a connection that was kept open."""
    for _ in range(5):
        assert send(gateway.port, "/api/v1/requests").status == 200
        response = send(gateway.port, "/api/v1/requests?do=drop", method="POST", body=b"{}")
        assert_error(response, 502, "BAD_GATEWAY")
    assert [got.method for got in gateway.reached()].count("POST") == 5


def test_fifty_concurrent_requests_get_their_own_responses(gateway: Gateway) -> None:
    responses: dict[int, Response] = {}

    def one(number: int) -> None:
        responses[number] = send(gateway.port, f"/api/v1/books?body={number}")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: int(response.body) for number, response in responses.items()} == {
        number: number for number in range(50)
    }
