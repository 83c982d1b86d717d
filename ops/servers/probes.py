"""Readiness probes in each component's protocol: an open socket alone proves nothing.

Standard library only. Every probe ends within PROBE_TIMEOUT.
"""

import socket
import struct

PROBE_TIMEOUT = 1.0  # seconds
POSTGRES_PROTOCOL = 196608  # 3.0
HTTP_OK = b"200"
REDIS_OK = b"+OK\r\n+PONG"


def _exchange(address: str, request: bytes, enough: int) -> bytes:
    """Send and read until `enough` bytes came or the peer closed; b"" when there is no peer."""
    family = socket.AF_UNIX if address.startswith("/") else socket.AF_INET
    host, _, port = address.rpartition(":")
    target = address if family == socket.AF_UNIX else (host, int(port))
    response = b""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(PROBE_TIMEOUT)
            connection.connect(target)
            connection.sendall(request)
            while len(response) < enough and (piece := connection.recv(4096)):
                response += piece
    except OSError:
        return response
    return response


def postgres_answers(address: str) -> bool:
    """Return whether the server asks for a password; before, it refuses with "starting up"."""
    words = b"user\0luna_worker\0database\0postgres\0application_name\0readiness\0\0"
    startup = struct.pack("!ii", len(words) + 8, POSTGRES_PROTOCOL) + words
    return _exchange(address, startup, 1).startswith(b"R")


def redis_answers(address: str, password: str) -> bool:
    """Return whether Redis has loaded its file; before, it responds -LOADING."""
    request = f"AUTH luna {password}\r\nPING\r\n".encode()
    return _exchange(address, request, len(REDIS_OK)).startswith(REDIS_OK)


def http_answers(address: str, path: str) -> bool:
    """Return whether the response for the path is 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    words = _exchange(address, request.encode(), 1 << 20).split(b" ", 2)
    return len(words) > 1 and words[1] == HTTP_OK


def http_responds(address: str, path: str) -> bool:
    """Return whether there is a response for the path, whatever its status."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return _exchange(address, request.encode(), 5).startswith(b"HTTP/")


def is_listening(socket_path: str) -> bool:
    """Return whether a socket accepts; for a program that binds it only when it can serve."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(socket_path)
    except OSError:
        return False
    return True
