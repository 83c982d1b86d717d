"""The Redis server: a Unix socket, one user, an append-only file, a memory limit.

Only keys with a TTL are evicted, and only those of the cache have one that matters: searches fill
the cache but never take the place of a queue.
"""

import hashlib
from pathlib import Path

USER = "luna"
# Redis belongs to LUNA alone, so patterns of keys would protect nothing. FLUSHALL and FLUSHDB are
# allowed because nothing is lost by them; INFO tells the relay that Redis has restarted.
RULES = ("~*", "&*", "+@all", "-@admin", "-@dangerous", "+info", "+flushall", "+flushdb")
MAX_MEMORY = "128mb"


def user_rules(password: str) -> list[str]:
    """Return the ACL rules of LUNA's user; they hold the hash of the password only."""
    return [USER, "reset", "on", f"#{hashlib.sha256(password.encode()).hexdigest()}", *RULES]


def url(socket: str, password: str) -> str:
    """Return the URL of a client; the password has no character that needs quoting."""
    return f"unix://{USER}:{password}@{socket}"


def start_command(
    program: Path, socket: Path, data: Path, password: str, *, durable: bool = True
) -> list[str]:
    """Return the server's command; without `durable` nothing is written to disk (tests)."""
    return [
        str(program),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--user", "default", "off"),
        *("--user", *user_rules(password)),
        *("--dir", str(data)),
        *("--appendonly", "yes" if durable else "no"),
        *("--appendfsync", "everysec"),
        *("--save", ""),
        *("--maxmemory", MAX_MEMORY),
        *("--maxmemory-policy", "volatile-lru"),
        *("--daemonize", "no"),
    ]
