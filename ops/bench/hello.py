"""The comparison of request benchmarks: a bare asynchronous FastAPI route behind a bare Nginx."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fastapi import FastAPI

from ops.home import ROOT
from ops.processes import spawn
from ops.servers import environment, nginx, probes

START_TIMEOUT = 20.0  # seconds
POLL_INTERVAL = 0.05

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    """Return a constant."""
    return {"hello": "world"}


_CONFIGURATION = """daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream hello {{ server unix:{folder}/hello.sock; keepalive 32; }}
    server {{
        listen {address};
        location / {{
            proxy_pass http://hello;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


@contextmanager
def running(program: Path, folder: Path) -> Iterator[str]:
    """Start Uvicorn and Nginx as LUNA does; yields the address."""
    port, lock = nginx.reserve_port(18500)
    address = f"{nginx.HOST}:{port}"
    configuration = folder / "hello.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, address=address), encoding="utf-8"
    )
    server = [sys.executable, "-m", "uvicorn", "ops.bench.hello:app", "--no-access-log"]
    commands = (
        [*server, "--log-level", "warning", "--uds", str(folder / "hello.sock")],
        nginx.start_command(program, configuration, folder),
    )
    with lock, ExitStack() as stack:
        for command in commands:
            process = spawn(
                command,
                environment=environment.base(),
                directory=ROOT,
                log=folder / "hello.log",
                death_signal=signal.SIGTERM,
            )
            stack.callback(process.wait, START_TIMEOUT)
            stack.callback(process.terminate)
        deadline = time.monotonic() + START_TIMEOUT
        while not probes.http_answers(address, "/"):
            if time.monotonic() > deadline:
                raise TimeoutError((folder / "hello.log").read_text(encoding="utf-8"))
            time.sleep(POLL_INTERVAL)
        yield f"http://{address}"
