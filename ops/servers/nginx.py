"""Nginx: its port, its configuration from the template, and its command."""

import fcntl
import os
import re
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from ops.home import ROOT, open_lock, private_folder, write_atomically

TEMPLATES = ROOT / "backend" / "nginx"  # luna.conf.template includes the others
HOST = "127.0.0.1"
MAX_PORT = 65535
# variables of the template that users may set; the same defaults as in Compose
DEFAULTS = {
    "LUNA_SERVER_NAMES": "",
    "LUNA_GATEWAY_TLS": "",
    "LUNA_GATEWAY_LIMITS": "on",
    "LUNA_GATEWAY_RATE": "100r/s",
    "LUNA_GATEWAY_BURST": "200",
    "LUNA_GATEWAY_SIGN_IN_RATE": "120r/m",
    "LUNA_GATEWAY_SIGN_IN_BURST": "100",
    "LUNA_GATEWAY_CLIENT_TIMEOUT": "10s",
    "LUNA_GATEWAY_ANSWER_TIMEOUT": "30s",
}


def render(template: str, values: Mapping[str, str]) -> str:
    """Replace ${LUNA_…}, raising KeyError for a missing value; keep Nginx's own variables."""
    return re.sub(r"\$\{(LUNA_\w+)\}", lambda found: values[found.group(1)], template)


def write_configuration(folder: Path, values: Mapping[str, str]) -> Path:
    """Render every template into a folder; return the path of the main configuration."""
    for template in TEMPLATES.glob("*.conf.template"):
        text = render(template.read_text(encoding="utf-8"), {**DEFAULTS, **values})
        write_atomically(folder / template.name.removesuffix(".template"), text)
    return folder / "luna.conf"


def start_command(program: Path, configuration: Path, folder: Path) -> list[str]:
    """Return the command; as root, workers stay root, or they could not open the sockets."""
    words = [str(program), "-e", "stderr", "-p", str(folder), "-c", str(configuration)]
    return [*words, "-g", "user root;"] if os.geteuid() == 0 else words


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Nginx binds
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def reserve_port(wanted: int) -> tuple[int, IO[str]]:
    """Return the wanted port or the next free one, reserved while the file stays open.

    Nginx binds it seconds later; until then the lock keeps other LUNAs off the port.
    """
    folder = private_folder(Path(tempfile.gettempdir()) / f"luna-ports-{os.geteuid()}")
    for port in range(wanted, MAX_PORT):
        lock = open_lock(folder / str(port))
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_free(port):
                return port, lock
        lock.close()
    raise OSError(f"no free port from {wanted} on")
