"""Imports the large packages once and gives birth to services that share them.

Importing them costs seconds of processor time and a hundred megabytes in each program; seven
programs start in a fraction of that as forks of one that has done it. Only packages of others are
imported here, never our own code: settings are read in the child, and a restart runs what is on
disk.

A child is forked twice, so that it becomes the supervisor's own (see `adopt_orphans`): it is
watched, restarted and ended like any other part, and lives on when the nursery dies.
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

from ops.processes import die_with, rename

ADOPTED_WITHIN = 2.0  # seconds
ANSWER_WITHIN = 5.0
ROOM_FOR_A_NAME = "." * 200  # an argument that makes room for a child's own command line

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
)


def ask(address: str, request: dict[str, Any]) -> int | None:
    """Have a child born; its pid, or None when the nursery does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_WITHIN)
            connection.connect(address)
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = connection.makefile().readline()
    except OSError:
        return None
    return int(answer) if answer.strip() else None


def serve(address: str) -> None:
    """Import, then answer one request after the other: {"words": […], "environment": {…}, …}."""
    for package in PACKAGES:
        with contextlib.suppress(ImportError):  # a package that was dropped is no reason to fail
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
                continue  # somebody only wanted to know whether we listen
            request = json.loads(line)
            if (pid := _give_birth()) is None:
                break  # we are the child
            connection.sendall(f"{pid}\n".encode())
    listener.close()
    _live(request)


def _give_birth() -> int | None:
    """The pid of a grandchild, or None in the grandchild itself."""
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
    with os.fdopen(reading) as answer:
        return int(answer.read())


def _live(request: dict[str, Any]) -> None:
    """Become the program that was asked for."""
    os.setsid()
    until = time.monotonic() + ADOPTED_WITHIN
    while os.getppid() != request["parent"]:
        if time.monotonic() > until:
            os._exit(1)  # nobody adopted us: the supervisor died
        time.sleep(0.001)
    die_with(request["parent"], signal.Signals(request["death_signal"]))
    with Path(request["log"]).open("ab") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr] # both are files here
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    words: list[str] = request["words"]
    rename([sys.executable, "-m", *words])
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve(sys.argv[1])
