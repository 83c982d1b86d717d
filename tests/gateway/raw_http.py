"""Talking to the gateway byte by byte, for what no proper client would send."""

import json
import re
import socket
from dataclasses import dataclass
from typing import Any

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
REQUEST_ID = re.compile(r"req_[A-Za-z0-9_-]{8,64}")
PATIENCE = 5.0  # seconds until a silent gateway fails a test


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, its headers in order and with their repetitions."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


def parse(data: bytes) -> Answer:
    """The first answer in `data`, which may hold the body of no other."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Answer(int(first.split(" ")[1]), headers, body)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def until_closed(connection: socket.socket) -> bytes:
    """All that still comes; fails when the other side keeps the connection open."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def first_answer(connection: socket.socket) -> bytes:
    """One answer of known length, or all until the end; what follows it is left."""
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    length = parse(data).header("Content-Length")
    if not length:
        return data + until_closed(connection)
    end = data.index(b"\r\n\r\n") + 4 + int(length[0])
    while len(data) < end and (piece := connection.recv(65536)):
        data += piece
    return data[:end]


def exchange(port: int, data: bytes) -> bytes:
    """Send, then read until the gateway closes."""
    with connect(port) as connection:
        connection.sendall(data)
        return until_closed(connection)


def ask(port: int, target: str, *headers: str, method: str = "GET", body: bytes = b"") -> Answer:
    """One request with exactly this target, `Host: localhost` unless a header says otherwise."""
    lines = [f"{method} {target} HTTP/1.1", "Connection: close", *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.append("Host: localhost")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("latin-1")
    with connect(port) as connection:
        connection.sendall(head + b"\r\n\r\n" + body)
        return parse(first_answer(connection))


def refusal(answer: Answer, status: int, code: str) -> None:
    """The answer is this error, in the envelope of api.md §1, with the gateway's headers."""
    assert answer.status == status
    assert answer.header("Content-Type") == ["application/json"]
    assert answer.header("API-Version") == ["v1"]
    [request_id] = answer.header("X-Request-ID")
    assert REQUEST_ID.fullmatch(request_id)
    said = answer.json()
    assert TIMESTAMP.fullmatch(said["meta"].pop("timestamp"))
    assert said["error"].pop("message").endswith(".")
    assert said == {
        "success": False,
        "error": {"code": code, "details": {}},
        "meta": {"request_id": request_id},
    }
