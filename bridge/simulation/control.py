"""The HTTP control of simulated robots, on this machine only.

GET /robots lists the robots with their faults and what was injected; PUT /faults replaces the
faults of all, PUT /robots/NAME/faults those of one, DELETE removes them.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bridge.simulation.faults import InvalidScriptError, parse_script
from bridge.simulation.fleet import SimulatedRobot

HOST = "127.0.0.1"
MAX_BODY = 1_000_000


class _NotFoundError(Exception):
    pass


@contextmanager
def serving(robots: Sequence[SimulatedRobot], port: int) -> Iterator[int]:
    """Serve the control in a thread; yield its port (0: a free one is chosen)."""
    with _Server(robots, port) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, robots: Sequence[SimulatedRobot], port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self._robots = {robot.name: robot for robot in robots}

    def named(self, path: str) -> list[SimulatedRobot]:
        """Return the robots that a path names."""
        match path.strip("/").split("/"):
            case ["faults"] | ["robots"]:
                return list(self._robots.values())
            case ["robots", name, "faults"] if name in self._robots:
                return [self._robots[name]]
        raise _NotFoundError


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer(lambda: None)

    def do_PUT(self) -> None:
        self._answer(self._body)

    def do_DELETE(self) -> None:
        self._answer(list)

    def _body(self) -> Any:
        length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY)
        return json.loads(self.rfile.read(length))

    def _answer(self, script: Callable[[], Any]) -> None:
        """Replace the faults by the script, unless it is None, and describe the robots."""
        status: HTTPStatus = HTTPStatus.OK
        data: Any = None
        try:
            robots, faults = self.server.named(self.path), script()
            for robot in robots if faults is not None else ():
                robot.faults.replace(parse_script(faults))
            data = [robot.faults.as_json() | {"crashes": robot.crashes} for robot in robots]
        except _NotFoundError:
            status, data = HTTPStatus.NOT_FOUND, {"error": "There is no such robot or path."}
        except (InvalidScriptError, ValueError) as error:
            status, data = HTTPStatus.BAD_REQUEST, {"error": str(error)}
        content = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_words: Any) -> None:
        """Log nothing: standard error is not the bridge's log."""
