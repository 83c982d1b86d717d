"""A small LUNA for tests of the supervisor: real PostgreSQL, Redis and Nginx, tiny services.

Run by the subreaper: `python -m tests.ops.fake_services '{"home": …}'`.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace

from ops.native import supervisor_main
from ops.native.component import Component
from ops.native.topology import Native, Options

SERVICE = """
import http.server, os, socketserver, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
    def address_string(self): return "unix"
    def log_message(self, *_): pass
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
Server(os.environ["LUNA_LISTEN"].removeprefix("unix:"), Answer).serve_forever()
"""
# a parent with a child of its own, which a kill -9 of the parent leaves behind
WORKER = """
import os, pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
pathlib.Path(os.environ["LUNA_READY_FILE"]).touch()
try: child.wait()
finally: child.kill()
"""
ROBOT = "import signal; signal.pause()"
BROKEN = "raise SystemExit('no such luck')"


def _small(code: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-S", "-c", code]


class SmallNative(Native):
    """The real topology, with tiny programs where ours would start."""

    def parts(self) -> list[Component]:
        broken = self.services_environment.get("STAND_IN_BROKEN")
        parts = [part for part in super().parts() if part.name != "nursery"]
        return [self._small(part, broken) for part in parts]

    def _small(self, part: Component, broken: str | None) -> Component:
        part = replace(part, nursery="", needs=part.needs - {"nursery"})
        if part.name == broken:
            return replace(part, command=_small(BROKEN))
        if part.name.endswith("-service"):
            return replace(part, command=_small(SERVICE))
        if part.name == "celery-worker":
            return replace(part, command=_small(WORKER))
        if part.name.startswith("robot-"):
            return replace(part, command=_small(ROBOT))
        if part.name in {"migrate", "demo", "keys"}:
            return replace(part, command=_small(""), already_done=lambda: False)
        return part


if __name__ == "__main__":
    sys.exit(supervisor_main.main(Options(**json.loads(sys.argv[1])), SmallNative))
