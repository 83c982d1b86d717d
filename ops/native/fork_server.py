"""Import large packages once and fork services that share their memory.

The imports cost each program seconds of processor time and a hundred megabytes. What is imported
here reads no setting, starts no thread, opens nothing, registers nothing and has no metric of its
own, so a forked program finds it as if it had imported it itself. That holds also for the rules and
the schemas of single services: to import them after the fork costs twice their size, because the
kernel copies the page of each string, type and function that they refer to.

When LUNA's code on disk has changed, the fork server ends instead of forking: that program imports
everything itself, and the supervisor starts a new fork server.

A program is forked twice, so that it becomes a child of the supervisor (`become_subreaper`): it is
watched, restarted and stopped like any other component, and survives the fork server.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backend.shared import fork_memory
from ops.home import ROOT
from ops.processes import set_command_line, set_death_signal

NAME = "fork-server"  # of the component
ADOPTION_TIMEOUT = 2.0  # seconds
RESPONSE_TIMEOUT = 5.0
COMMAND_LINE_PADDING = "." * 200  # an argument whose place a child's own command line takes

PACKAGES = (
    *("fastapi", "fastapi.openapi.utils", "uvicorn.main", "uvicorn.lifespan.on", "uvloop"),
    *("uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl", "websockets", "httptools"),
    *("uvicorn.protocols.websockets.websockets_sansio_impl", "websockets.server", "multipart"),
    *("sqlalchemy.orm", "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql"),
    *("sqlalchemy.dialects.postgresql.psycopg2", "sqlalchemy.dialects.postgresql.psycopg"),
    *("psycopg", "psycopg_binary", "psycopg2.extras", "redis.asyncio", "hiredis"),
    *("pydantic_settings", "email_validator", "structlog", "structlog.contextvars"),
    *("prometheus_client", "jose.jwt", "cryptography.fernet", "uuid_utils", "cachetools"),
    *("protobuf", "protovalidate", "connectrpc.server", "connectrpc.client", "networkx"),
    "pydantic.v1",  # FastAPI imports it with the first application
    *("backend.shared.web.app", "backend.shared.web.idempotency", "backend.shared.web.pagination"),
    *("backend.shared.web.etags", "backend.shared.events", "backend.shared.messaging.outbox"),
    *("backend.shared.messaging.realtime", "backend.shared.infra.cache", "statistics", "difflib"),
    *("backend.shared.domain.workflow", "backend.shared.domain.circulation.loans"),
    *("backend.shared.domain.accounts.creation", "backend.shared.domain.waits"),
    *("backend.shared.domain.texts", "backend.shared.domain.eta"),
    # of two services
    *("grpc.aio", "pyqwest", "backend.shared.proto.gen.luna.v1.library_pb"),
    *("backend.shared.proto.gen.luna.v1.user_pb", "connectrpc_grpcreflect"),
)
# The folders of services whose modules are imported too; those of auth's rules have a metric.
SERVICE_CODE = (
    "auth/schemas",
    *("book/schemas", "book/service", "book/search", "book/imports"),
    *("delivery/schemas", "delivery/service"),
    *("robot/schemas", "robot/service", "robot/bridge_protocol"),
    *("notification/schemas", "notification/service"),
)
CODE = (ROOT / "backend", ROOT / "ops")


def fork(address: str, request: dict[str, Any]) -> int | None:
    """Request a child; return its pid, or None when the fork server does not respond."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(RESPONSE_TIMEOUT)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            response = connection.makefile().readline()
    except OSError:
        return None
    return int(response) if response.strip() else None


def modules() -> list[str]:
    """Return what is imported."""
    files = [
        path.relative_to(ROOT).with_suffix("")
        for folder in SERVICE_CODE
        for path in sorted((ROOT / "backend" / folder).rglob("*.py"))
    ]
    return [*PACKAGES, *(".".join(file.parts).removesuffix(".__init__") for file in files)]


def serve(address: str) -> None:
    """Import the packages, then serve one request at a time: a JSON object on a line."""
    gc.disable()  # everything that is imported stays
    for module in modules():
        with contextlib.suppress(ImportError):  # a package that is gone costs only time
            importlib.import_module(module)
    fork_memory.prepare_to_fork()
    gc.enable()
    sources = _sources()
    imported = _times(sources)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("r") as lines:
            if not (line := lines.readline()):
                continue  # a readiness probe
            if _times(sources) != imported:
                return  # without a response: the program runs the code on disk
            request = json.loads(line)
            if (pid := _double_fork()) is None:
                break  # this is the child
            connection.sendall(f"{pid}\n".encode())
    listener.close()
    _run_module(request)


def _sources() -> list[str]:
    """Return the files of LUNA's code that this process has imported, and the lock file."""
    files = [getattr(module, "__file__", None) for module in tuple(sys.modules.values())]
    own = [file for file in files if file and Path(file).is_relative_to(ROOT)]
    return [
        str(ROOT / "requirements.lock"),
        *(file for file in own if any(Path(file).is_relative_to(folder) for folder in CODE)),
    ]


def _times(files: Iterable[str]) -> list[int]:
    """Return when each file was changed last, in nanoseconds; 0: it is gone."""
    paths = map(Path, files)
    return [path.stat().st_mtime_ns if path.exists() else 0 for path in paths]


def _double_fork() -> int | None:
    """Return the pid of a grandchild, or None in the grandchild."""
    reading, writing = os.pipe()
    if (middle := os.fork()) == 0:
        if child := os.fork():
            os.write(writing, str(child).encode())
            os._exit(0)
        os.close(reading)
        os.close(writing)
        return None
    os.close(writing)
    os.waitpid(middle, 0)
    with os.fdopen(reading) as pid:
        return int(pid.read())


def _run_module(request: dict[str, Any]) -> None:
    """Run the requested module with its environment, log, directory and command line."""
    os.setsid()
    deadline = time.monotonic() + ADOPTION_TIMEOUT
    while os.getppid() != request["parent"]:
        if time.monotonic() > deadline:
            os._exit(1)  # the supervisor has ended and cannot adopt this process
        time.sleep(0.001)
    set_death_signal(request["parent"], signal.Signals(request["death_signal"]))
    with Path(request["log"]).open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr] # both are files here
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    words: list[str] = request["words"]
    set_command_line([sys.executable, "-m", *words])
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve(sys.argv[1])
