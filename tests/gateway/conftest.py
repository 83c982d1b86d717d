"""A real Nginx with the shipped configuration, in front of five stand-in services."""

import os
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ops.servers.environment import SERVICES
from ops.servers.nginx import start_command, write_configuration
from tests.gateway.echo import Received, Service
from tests.gateway.raw_http import PATIENCE, connect

GENEROUS = {"LUNA_SERVER_NAMES": "luna.example", "LUNA_GATEWAY_LIMITS": "off"}
STRICT = {
    "LUNA_GATEWAY_RATE": "1r/m",
    "LUNA_GATEWAY_BURST": "3",
    "LUNA_GATEWAY_SIGN_IN_RATE": "1r/m",
    "LUNA_GATEWAY_SIGN_IN_BURST": "1",
    "LUNA_GATEWAY_CLIENT_TIMEOUT": "400ms",
    "LUNA_GATEWAY_ANSWER_TIMEOUT": "1s",
}


@dataclass(frozen=True)
class Gateway:
    """A running Nginx and what stands behind it."""

    port: int
    services: dict[str, Service]
    log: Path

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def reached(self) -> list[Received]:
        """What came through to any service since the test began."""
        return [got for service in self.services.values() for got in service.received]


def free_port() -> int:
    """Below the range that outgoing connections use."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


@contextmanager
def nginx(folder: Path, settings: dict[str, str]) -> Iterator[Gateway]:
    """The shipped configuration with these settings, and five services, within this block."""
    services = {name: Service(name, folder / f"{name}.sock") for name in SERVICES}
    port = free_port()
    values = settings | {
        "LUNA_GATEWAY_DIR": str(folder),
        "LUNA_GATEWAY_ACCESS_LOG": str(folder / "access.log"),
        "LUNA_GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LUNA_GATEWAY_RESOLVER": "127.0.0.1",
        **{f"LUNA_UPSTREAM_{s.name.upper()}": f"unix:{s.socket}" for s in services.values()},
    }
    configuration = folder / "luna.conf"
    write_configuration(configuration, values)
    program = Path(os.environ.get("LUNA_TEST_NGINX", "nginx"))
    command = start_command(program, configuration, folder)
    with ExitStack() as stack:
        for service in services.values():
            service.start()
            stack.callback(service.kill)
        errors = stack.enter_context((folder / "error.log").open("wb"))
        environment = os.environ | {"TZ": "UTC"}
        process = subprocess.Popen(command, env=environment, stderr=errors)  # noqa: S603 (ours)
        try:
            wait_until_it_listens(port, process)
            yield Gateway(port, services, folder / "access.log")
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_until_it_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connect(port).close()
        except OSError:
            assert process.poll() is None, "Nginx did not start: see error.log"
            assert time.monotonic() < until
            time.sleep(0.01)
        else:
            return


@contextmanager
def short_folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="luna-g-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def _generous() -> Iterator[Gateway]:
    with short_folder() as folder, nginx(folder, GENEROUS) as gateway:
        yield gateway


@pytest.fixture
def gateway(_generous: Gateway) -> Gateway:
    """No limits on rates, patient."""
    for service in _generous.services.values():
        service.received.clear()
        service.first_bytes.clear()
    return _generous


@pytest.fixture
def strict() -> Iterator[Gateway]:
    """Few requests, little patience, and nobody has asked anything yet."""
    with short_folder() as folder, nginx(folder, STRICT) as gateway:
        yield gateway
