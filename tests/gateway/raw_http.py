"""A client that sends any bytes, also invalid HTTP."""

import json
import re
import socket
from dataclasses import dataclass
from typing import Any

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
REQUEST_ID = re.compile(r"req_[A-Za-z0-9_-]{8,64}")
TIMEOUT = 60.0  # seconds; only a failing test waits for all of them


@dataclass(frozen=True)
class Response:
    """An HTTP response; the headers are in order and may repeat."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


def parse(data: bytes) -> Response:
    """Parse the only response in `data`."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Response(int(first.split(" ")[1]), headers, body)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), TIMEOUT)


def read_until_closed(connection: socket.socket) -> bytes:
    """Read until the peer closes the connection; time out when it does not."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def read_response(connection: socket.socket) -> bytes:
    """Read one response of known length, or until the connection is closed."""
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    length = parse(data).header("Content-Length")
    if not length:
        return data + read_until_closed(connection)
    end = data.index(b"\r\n\r\n") + 4 + int(length[0])
    while len(data) < end and (piece := connection.recv(65536)):
        data += piece
    return data[:end]


def exchange(port: int, data: bytes) -> bytes:
    """Send, then read until the gateway closes the connection."""
    with connect(port) as connection:
        connection.sendall(data)
        return read_until_closed(connection)


def send(port: int, target: str, *headers: str, method: str = "GET", body: bytes = b"") -> Response:
    """Send a request with exactly this target; `Host: localhost` by default."""
    lines = [f"{method} {target} HTTP/1.1", "Connection: close", *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.append("Host: localhost")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("latin-1")
    with connect(port) as connection:
        connection.sendall(head + b"\r\n\r\n" + body)
        return parse(read_response(connection))


def assert_error(response: Response, status: int, code: str) -> None:
    """Assert that the response is this error, in the envelope of the API, with all headers."""
    assert response.status == status
    assert response.header("Content-Type") == ["application/json"]
    assert response.header("API-Version") == ["v1"]
    [request_id] = response.header("X-Request-ID")
    assert REQUEST_ID.fullmatch(request_id)
    body = response.json()
    assert TIMESTAMP.fullmatch(body["meta"].pop("timestamp"))
    assert body["error"].pop("message").endswith(".")
    assert body == {
        "success": False,
        "error": {"code": code, "details": {}},
        "meta": {"request_id": request_id},
    }
