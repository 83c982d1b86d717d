"""A small LUNA for tests of the supervisor: real PostgreSQL, Redis and Nginx, fake services.

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
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
    def address_string(self): return "unix"
    def log_message(self, *_): pass
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
Server(os.environ["LUNA_LISTEN"].removeprefix("unix:"), Handler).serve_forever()
"""
# a process with a child, which SIGKILL of the process leaves behind
WORKER = """
import os, pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
pathlib.Path(os.environ["LUNA_READY_FILE"]).touch()
try: child.wait()
finally: child.kill()
"""
ROBOT = "import signal; signal.pause()"
BROKEN = "raise SystemExit('broken on purpose')"


def _small(code: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-S", "-c", code]


class SmallNative(Native):
    """The real topology with fake programs for the services, the worker and the robots."""

    def components(self) -> list[Component]:
        broken = self.owner_environment.get("FAKE_BROKEN")
        return [
            self._small(component, broken)
            for component in super().components()
            if component.name != "fork-server"
        ]

    def _small(self, component: Component, broken: str | None) -> Component:
        component = replace(component, fork_server="", needs=component.needs - {"fork-server"})
        if component.name == broken:
            return replace(component, command=_small(BROKEN))
        if component.name.endswith("-service"):
            return replace(component, command=_small(SERVICE))
        if component.name == "celery-worker":
            return replace(component, command=_small(WORKER))
        if component.name.startswith("robot-"):
            return replace(component, command=_small(ROBOT))
        if component.name in {"migrate", "demo", "keys", "push-keys"}:
            return replace(component, command=_small(""), already_done=lambda: False)
        return component


if __name__ == "__main__":
    sys.exit(supervisor_main.main(Options(**json.loads(sys.argv[1])), SmallNative))
