"""The two services with RPCs as processes, behind the real Nginx with and without TLS."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backend.shared.infra.services import RPC_SERVICES
from ops.home import ROOT
from ops.servers import certificate, probes
from ops.servers.nginx import start_command, write_configuration
from tests.gateway.conftest import make_pages, short_folder, wait_until_listening
from tests.ops.conftest import eventually
from tests.ports import free_port

_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True)
class Stack:
    """Running services and the addresses of their gateway."""

    folder: Path
    port: int
    tls_port: int
    origin: str  # the one page that browsers may call from
    processes: dict[str, "subprocess.Popen[bytes]"]

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def certificate(self) -> bytes:
        return (self.folder / certificate.FILE).read_bytes()

    def socket(self, service: str) -> str:
        """Return the address of a service's own gRPC port."""
        return f"unix:{self.folder}/{service}-grpc.sock"


def _service(name: str, folder: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    own = {
        "LUNA_LISTEN": f"unix:{folder}/{name}.sock",
        "LUNA_GRPC_LISTEN": f"unix:{folder}/{name}-grpc.sock",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "backend.shared.web.service_main", name]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(command, env=environment | own, stdout=log, stderr=log)  # noqa: S603 (our own program)


def _gateway(folder: Path, port: int, tls_port: int) -> "subprocess.Popen[bytes]":
    certificate.ensure(folder)
    values = {
        "LUNA_GATEWAY_LIMITS": "off",
        "LUNA_GATEWAY_DIR": str(folder),
        "LUNA_GATEWAY_ACCESS_LOG": str(folder / "access.log"),
        "LUNA_GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LUNA_GATEWAY_TLS": certificate.directives(folder, tls_port),
        "LUNA_GATEWAY_RESOLVER": "127.0.0.1",
        "LUNA_WEB_DIR": str(make_pages(folder / "pages")),
        **{
            f"LUNA_UPSTREAM_{name.upper()}": f"unix:{folder}/{name}.sock"
            for name in ("auth", "book", "delivery", "robot", "notification")
        },
        **{
            f"LUNA_UPSTREAM_{name.upper()}_GRPC": f"unix:{folder}/{name}-grpc.sock"
            for name in RPC_SERVICES
        },
    }
    command = start_command(
        Path(os.environ.get("LUNA_TEST_NGINX", "nginx")),
        write_configuration(folder, values),
        folder,
    )
    with (folder / "error.log").open("wb") as log:
        return subprocess.Popen(command, env=os.environ | {"TZ": "UTC"}, stderr=log)  # noqa: S603 (Nginx)


def _is_ready(folder: Path, name: str) -> bool:
    return probes.http_answers(f"{folder}/{name}.sock", "/health/ready")


@contextmanager
def running(servers: dict[str, str], services: Sequence[str] = RPC_SERVICES) -> Iterator[Stack]:
    """Start auth and book service and the gateway; end them in the reverse order."""
    origin = f"http://localhost:{free_port()}"
    environment = os.environ | servers | {"LUNA_ALLOWED_ORIGINS": origin}
    with short_folder() as folder, ExitStack() as stack:
        processes = {name: _service(name, folder, environment) for name in services}
        port, tls_port = free_port(), free_port()
        processes["nginx"] = _gateway(folder, port, tls_port)
        for process in processes.values():
            stack.callback(process.wait, _TIMEOUT)
            stack.callback(process.terminate)
        wait_until_listening(port, processes["nginx"])
        for name in services:
            eventually(partial(_is_ready, folder, name), f"{name} is ready")
        yield Stack(folder, port, tls_port, origin, processes)


@pytest.fixture(scope="session")
def _stack(servers: dict[str, str]) -> Iterator[Stack]:
    with running(servers) as stack:
        yield stack


@pytest.fixture
def stack(_stack: Stack, api: Any) -> Stack:
    """Return the services on an empty database; `api` has the same one in this process."""
    return _stack
