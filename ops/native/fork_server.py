"""Import large packages once and fork services that share their memory.

The imports cost each program seconds of processor time and a hundred megabytes. Only third-party
packages are imported here, never LUNA's own code: a forked program reads its settings itself, and
a restart runs the code on disk.

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
from pathlib import Path
from typing import Any

from ops.processes import set_command_line, set_death_signal

ADOPTION_TIMEOUT = 2.0  # seconds
RESPONSE_TIMEOUT = 5.0
COMMAND_LINE_PADDING = "." * 200  # an argument whose place a child's own command line takes

PACKAGES = (
    *("fastapi", "fastapi.openapi.utils", "uvicorn.main", "uvicorn.lifespan.on", "uvloop"),
    *("uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl", "websockets", "httptools"),
    *("sqlalchemy.orm", "sqlalchemy.ext.asyncio", "sqlalchemy.dialects.postgresql"),
    *("sqlalchemy.dialects.postgresql.psycopg2", "sqlalchemy.dialects.postgresql.psycopg"),
    *("pydantic_settings", "email_validator"),
    *("redis.asyncio", "hiredis", "celery", "celery.app.base", "celery.worker", "kombu"),
    *("structlog", "structlog.contextvars", "prometheus_client", "jose.jwt"),
    *("passlib.context", "passlib.handlers.argon2", "argon2", "uuid_utils", "stdnum.isbn"),
    *("cryptography.hazmat.primitives.asymmetric.rsa", "multipart"),
    *("psycopg2.extras", "pydantic.v1", "cryptography.fernet", "celery.concurrency.prefork"),
    *("psycopg", "psycopg_binary", "cachetools", "networkx", "openpyxl", "pymarc", "pyotp"),
    *("protobuf", "protovalidate", "connectrpc.server"),
    *("websockets.http11", "websockets.server", "kombu.transport.redis", "multiprocessing.context"),
    *("uvicorn.protocols.websockets.websockets_sansio_impl", "smtplib", "xml.etree.ElementTree"),
)


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


def serve(address: str) -> None:
    """Import the packages, then serve one request at a time: a JSON object on a line."""
    for package in PACKAGES:
        with contextlib.suppress(ImportError):  # a package that is gone costs only time
            importlib.import_module(package)
    gc.collect()
    gc.freeze()  # or the first collection of each child would copy every shared page
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("r") as lines:
            if not (line := lines.readline()):
                continue  # a readiness probe
            request = json.loads(line)
            if (pid := _double_fork()) is None:
                break  # this is the child
            connection.sendall(f"{pid}\n".encode())
    listener.close()
    _run_module(request)


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
