"""The Redis server: a Unix socket, an append-only file, no eviction."""

from pathlib import Path


def start_command(program: Path, socket: Path, data: Path, *, durable: bool = True) -> list[str]:
    """Return the server's command; without `durable` nothing is written to disk (tests)."""
    return [
        str(program),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(data)),
        *("--appendonly", "yes" if durable else "no"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
    ]
