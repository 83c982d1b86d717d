"""The environment that programs of a running LUNA get: one for services, more for its owner."""

import hashlib
import os
from pathlib import Path

from ops.home import ROOT, Home, secret
from ops.servers.postgres import Cluster

SERVICES = ("auth", "book", "delivery", "robot", "notification")


def base() -> dict[str, str]:
    """What the caller's shell and `.env` say (the shell wins), and where our code is."""
    own = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}  # a log loses nothing to a kill
    return read_dotenv(ROOT / ".env") | dict(os.environ) | own


def read_dotenv(path: Path) -> dict[str, str]:
    """NAME=value lines; a value ends at " #", loses its quotes, and is left out when empty."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    cut = (
        (name.strip(), value.partition(" #")[0].strip().strip("\"'")) for name, _, value in pairs
    )
    return {name: value for name, value in cut if value}


def cluster(home: Home, programs: Path) -> Cluster:
    """The database cluster of this home."""
    return Cluster(programs, home.postgres.resolve() / "data", home.sockets.resolve() / "postgres")


def of_services(home: Home, address: str) -> dict[str, str]:
    """What every service gets: the restricted database role and the public keys."""
    database = cluster(home, Path())
    return base() | {
        "LUNA_HOME": str(home.path),
        "LUNA_DATABASE_URL": database.url("luna_app", secret(home, "luna_app"), "luna"),
        "LUNA_REDIS_URL": f"unix://{home.socket('redis')}",
        "LUNA_AUTH_PUBLIC_KEYS_FILE": str(home.keys / "jwks.json"),
        "LUNA_PUBLIC_URL": address,
    }


def of_owner(home: Home, address: str) -> dict[str, str]:
    """What migrations, the seed and the command line get besides: the role that owns the schema."""
    owner = cluster(home, Path()).url("luna_owner", secret(home, "luna_owner"), "luna")
    return of_services(home, address) | {"LUNA_DATABASE_OWNER_URL": owner}


def schema_mark() -> str:
    """Changes when a migration does, so that an unchanged schema costs no migration run."""
    folder = ROOT / "backend" / "shared" / "migrations"
    mark = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        mark.update(path.read_bytes())
    return mark.hexdigest()
