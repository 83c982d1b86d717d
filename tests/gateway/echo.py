"""Fake services: HTTP servers on Unix sockets that record the requests they receive.

The query sets the behaviour: `?status=409&body=…`, `?header=Name:value`, `?do=drop` (reads the
request, then disconnects), `?do=silence` (never responds), `?do=drip` (sends half a body, then
waits), `?do=watch` (waits until the peer disconnects, then sets `release`).
"""

import base64
import hashlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

WEBSOCKET_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


@dataclass(frozen=True)
class Received:
    """A request as the service received it."""

    service: str
    method: str
    target: str  # path and query, as written on the wire
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Service:
    """One fake service. `received` holds its requests; `release` ends its waiting ones."""

    name: str
    socket: Path
    received: list[Received] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    first_bytes: threading.Event = field(default_factory=threading.Event)
    _stack: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        self.release.clear()
        self.socket.unlink(missing_ok=True)
        server = self._stack.enter_context(_Server(str(self.socket), _Handler))
        server.service = self
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(server.shutdown)

    def kill(self) -> None:
        """Behave like SIGKILL: every connection breaks, and the socket file stays."""
        self.release.set()
        self._stack.close()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 256
    service: Service
    _open: set[socket.socket]

    def server_activate(self) -> None:
        self._open = set()
        super().server_activate()

    def get_request(self) -> tuple[socket.socket, str]:
        connection, _ = super().get_request()
        self._open.add(connection)
        return connection, "unix"

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # narrower
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect, as some tests do."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Silent."""

    def _chunks(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left > 0 and (piece := self.rfile.read1(min(left, 65536))):
            left -= len(piece)
            yield piece

    def _body(self) -> bytes:
        pieces = []
        for piece in self._chunks():
            self.server.service.first_bytes.set()
            pieces.append(piece)
        return b"".join(pieces)

    def _serve(self) -> None:
        service = self.server.service
        options = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        got = Received(
            service.name, self.command, self.path, list(self.headers.items()), self._body()
        )
        service.received.append(got)
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self._websocket()
        if options.get("do") in {"drop", "watch"}:
            return self._leave(watch=options["do"] == "watch")
        if options.get("do") == "silence":
            service.release.wait()
        response = options.get("body", json.dumps({"service": service.name})).encode()
        self.send_response(int(options.get("status", "200")))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response)))
        self.send_header("X-Request-ID", "the-services-own")
        self.send_header("API-Version", "v1")
        if "header" in options:
            self.send_header(*options["header"].split(":", 1))
        self.end_headers()
        if options.get("do") == "drip":
            self.wfile.write(response[:1])
            self.wfile.flush()
            service.release.wait()
            response = response[1:]
        if self.command != "HEAD":
            self.wfile.write(response)
        return None

    def _leave(self, *, watch: bool) -> None:
        self.close_connection = True
        if watch:
            self.server.service.first_bytes.set()
            self.rfile.read1(1)
            self.server.service.release.set()

    def _websocket(self) -> None:
        """Accept, then echo every byte."""
        key = self.headers["Sec-WebSocket-Key"] + WEBSOCKET_MAGIC
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324 (RFC)
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        while piece := self.rfile.read1(65536):
            self.wfile.write(piece)
        self.close_connection = True

    # the names that http.server looks for
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _serve  # noqa: N815 (see above)
