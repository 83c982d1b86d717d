"""Is it ready? Asked in each part's own protocol: an open socket alone proves nothing.

Standard library only, and every question is answered within `PATIENCE`.
"""

import json
import socket
import struct

PATIENCE = 1.0  # seconds
POSTGRES_PROTOCOL = 196608  # 3.0
HTTP_OK = b"200"


def _ask(address: str, question: bytes, enough: int) -> bytes:
    """Send and read until `enough` bytes came or the other side closed; b"" when nobody answers."""
    family = socket.AF_UNIX if address.startswith("/") else socket.AF_INET
    host, _, port = address.rpartition(":")
    target = address if family == socket.AF_UNIX else (host, int(port))
    answer = b""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(target)
            connection.sendall(question)
            while len(answer) < enough and (piece := connection.recv(4096)):
                answer += piece
    except OSError:
        return answer
    return answer


def postgres_answers(address: str) -> bool:
    """True once the server asks for a password: before, it refuses with "starting up"."""
    words = b"user\0luna_app\0database\0postgres\0application_name\0readiness\0\0"
    startup = struct.pack("!ii", len(words) + 8, POSTGRES_PROTOCOL) + words
    return _ask(address, startup, 1).startswith(b"R")


def redis_answers(address: str) -> bool:
    """True once Redis has loaded its file: before, it answers -LOADING."""
    return _ask(address, b"PING\r\n", 5).startswith(b"+PONG")


def http_answers(address: str, path: str) -> bool:
    """True when the path is answered with 200."""
    question = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    words = _ask(address, question.encode(), 1 << 20).split(b" ", 2)
    return len(words) > 1 and words[1] == HTTP_OK


def why_not(address: str, path: str) -> str:
    """What a service itself says it waits for; empty when it says nothing."""
    question = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    _, _, body = _ask(address, question.encode(), 1 << 20).partition(b"\r\n\r\n")
    try:
        return json.dumps(json.loads(body))
    except ValueError:
        return ""


def somebody_listens(socket_path: str) -> bool:
    """For a part of ours that binds its socket only once it can serve."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(socket_path)
    except OSError:
        return False
    return True
