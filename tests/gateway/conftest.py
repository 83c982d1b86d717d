"""Fixtures of a real Nginx with the shipped configuration, in front of five fake services."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from backend.shared.infra.services import SERVICES
from ops.servers.nginx import start_command, write_configuration
from tests.gateway.echo import Received, Service
from tests.gateway.raw_http import TIMEOUT, connect
from tests.ports import free_port

UNLIMITED_SETTINGS = {"LUNA_SERVER_NAMES": "luna.example", "LUNA_GATEWAY_LIMITS": "off"}
STRICT_SETTINGS = {
    "LUNA_GATEWAY_RATE": "1r/m",
    "LUNA_GATEWAY_BURST": "3",
    "LUNA_GATEWAY_SIGN_IN_RATE": "1r/m",
    "LUNA_GATEWAY_SIGN_IN_BURST": "1",
    "LUNA_GATEWAY_CLIENT_TIMEOUT": "1s",
    "LUNA_GATEWAY_ANSWER_TIMEOUT": "1s",
}


@dataclass(frozen=True)
class Gateway:
    """A running Nginx and the services behind it."""

    port: int
    services: dict[str, Service]
    log: Path

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def reached(self) -> list[Received]:
        """Return the requests that reached any service during the test."""
        return [got for service in self.services.values() for got in service.received]


@contextmanager
def nginx(folder: Path, settings: dict[str, str]) -> Iterator[Gateway]:
    """Run the shipped configuration with these settings and five services."""
    services = {name: Service(name, folder / f"{name}.sock") for name in SERVICES}
    port = free_port()
    values = settings | {
        "LUNA_GATEWAY_DIR": str(folder),
        "LUNA_GATEWAY_ACCESS_LOG": str(folder / "access.log"),
        "LUNA_GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LUNA_GATEWAY_RESOLVER": "127.0.0.1",
        "LUNA_WEB_DIR": str(make_pages(folder / "pages")),
        **{f"LUNA_UPSTREAM_{s.name.upper()}": f"unix:{s.socket}" for s in services.values()},
        "LUNA_UPSTREAM_AUTH_GRPC": f"unix:{folder}/auth-grpc.sock",
        "LUNA_UPSTREAM_BOOK_GRPC": f"unix:{folder}/book-grpc.sock",
    }
    configuration = write_configuration(folder, values)
    program = Path(os.environ.get("LUNA_TEST_NGINX", "nginx"))
    command = start_command(program, configuration, folder)
    with ExitStack() as stack:
        for service in services.values():
            service.start()
            stack.callback(service.kill)
        errors = stack.enter_context((folder / "error.log").open("wb"))
        environment = os.environ | {"TZ": "UTC"}
        process = subprocess.Popen(command, env=environment, stderr=errors)  # noqa: S603 (nginx)
        try:
            wait_until_listening(port, process)
            yield Gateway(port, services, folder / "access.log")
        finally:
            process.terminate()
            process.wait(TIMEOUT)


def make_pages(folder: Path) -> Path:
    """Write the files of a small build of the two applications."""
    for name in ("index.html", "staff/index.html", "assets/app-1a.js", "staff/assets/app-2b.js"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"<p>{name}</p>", encoding="utf-8")
    for name in ("sw.js", "manifest.webmanifest"):
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def wait_until_listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            connect(port).close()
        except OSError:
            assert process.poll() is None, "Nginx did not start: see error.log"
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return


@contextmanager
def short_folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="luna-g-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def _unlimited() -> Iterator[Gateway]:
    with short_folder() as folder, nginx(folder, UNLIMITED_SETTINGS) as gateway:
        yield gateway


@pytest.fixture
def gateway(_unlimited: Gateway) -> Gateway:
    """Return a gateway without rate limits, with the default timeouts."""
    for service in _unlimited.services.values():
        service.received.clear()
        service.first_bytes.clear()
    return _unlimited


@pytest.fixture
def strict() -> Iterator[Gateway]:
    """Start a gateway with low limits and short timeouts."""
    with short_folder() as folder, nginx(folder, STRICT_SETTINGS) as gateway:
        yield gateway
