"""The one door: which port it opens, and Nginx's configuration from the shared template."""

import fcntl
import os
import re
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from ops.home import ROOT, write_whole

TEMPLATE = ROOT / "backend" / "nginx" / "luna.conf.template"


HOST = "127.0.0.1"


LAST_PORT = 65535


# the template's variables that someone may set; the same defaults as in Compose
DEFAULTS = {
    "LUNA_SERVER_NAMES": "",
    "LUNA_GATEWAY_LIMITS": "on",
    "LUNA_GATEWAY_RATE": "100r/s",
    "LUNA_GATEWAY_BURST": "200",
    "LUNA_GATEWAY_SIGN_IN_RATE": "120r/m",
    "LUNA_GATEWAY_SIGN_IN_BURST": "100",
    "LUNA_GATEWAY_CLIENT_TIMEOUT": "10s",
    "LUNA_GATEWAY_ANSWER_TIMEOUT": "30s",
}


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill in ${LUNA_…}; a variable nobody set is an error (KeyError), Nginx's own stay."""
    return re.sub(r"\$\{(LUNA_\w+)\}", lambda found: values[found.group(1)], template)


def write_configuration(target: Path, values: Mapping[str, str]) -> None:
    write_whole(target, render(TEMPLATE.read_text(encoding="utf-8"), {**DEFAULTS, **values}))


def start_command(program: Path, configuration: Path, folder: Path) -> list[str]:
    """Workers stay who we are: another user could not open the services' sockets."""
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
    """The wanted port or the next free one, kept from other LUNAs while the file stays open.

    Between looking and Nginx's bind seconds pass; the lock keeps a second start off the port.
    """
    folder = Path(tempfile.gettempdir()) / f"luna-ports-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for port in range(wanted, LAST_PORT):
        lock = (folder / str(port)).open("w")
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_free(port):
                return port, lock
        lock.close()
    raise OSError(f"no free port from {wanted} on")
