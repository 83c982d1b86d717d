"""A Redis of our own: a Unix socket, everything written down, nothing ever evicted."""

from pathlib import Path


def start_command(program: Path, socket: Path, data: Path, *, forgetful: bool = False) -> list[str]:
    """`forgetful` keeps nothing on disk, for tests."""
    return [
        str(program),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(data)),
        *("--appendonly", "no" if forgetful else "yes"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
    ]
