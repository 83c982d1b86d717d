"""Environment variables of LUNA's programs: services, and those with the owner's role."""

import hashlib
import os
from pathlib import Path

from backend.shared.infra.services import OPERATOR_ROLE, SERVICES
from ops.home import ROOT, Home, secret
from ops.servers import database_roles, postgres, redis_server
from ops.servers.postgres import Cluster

# glibc's own thresholds, named so that they stay: a process that frees a large block would raise
# them and keep up to twice as much, each backend of PostgreSQL what planning took. Two arenas, not
# one for each thread.
ALLOCATOR = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}


def base() -> dict[str, str]:
    """Return the environment of this process with the path of the code and the allocator's."""
    own = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}  # a killed program's log is complete
    return ALLOCATOR | dict(os.environ) | own


def with_dotenv() -> dict[str, str]:
    """Return `.env` overridden by the environment. Not for the supervisor, which is started so."""
    return read_dotenv(ROOT / ".env") | base()


MAX_INSTANCES = 16
CONNECTIONS_OF_A_SERVICE = 16  # its three pools (docs/architecture.md)
CONNECTIONS_OF_A_WORKER = 32


def instance_count(service: str) -> int:
    """Read LUNA_INSTANCES_BOOK and the like, or LUNA_INSTANCES_WORKER; 1 when it is not set."""
    name = f"LUNA_INSTANCES_{service.upper()}"
    value = os.environ.get(name) or "1"
    if not value.isdecimal() or not 1 <= int(value) <= MAX_INSTANCES:
        raise ValueError(f"{name} must be a number from 1 to {MAX_INSTANCES}, not {value!r}")
    return int(value)


def instances(name: str, service: str = "") -> list[str]:
    """Return the names of all instances of a program: book, book-2, book-3."""
    count = instance_count(service or name)
    return [name, *(f"{name}-{number}" for number in range(2, count + 1))]


def max_connections() -> int:
    """Return what PostgreSQL allows: by default for one instance of each program."""
    more = sum(map(instance_count, SERVICES)) - len(SERVICES)
    extra = more * CONNECTIONS_OF_A_SERVICE
    extra += (instance_count("worker") - 1) * CONNECTIONS_OF_A_WORKER
    return int(postgres.SETTINGS["max_connections"]) + extra


def read_dotenv(path: Path) -> dict[str, str]:
    """Read a `.env` file; a name without a value is left out."""
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}


def cluster(home: Home, programs: Path) -> Cluster:
    """Return the database cluster of this home."""
    return Cluster(programs, home.postgres.resolve() / "data", home.sockets.resolve() / "postgres")


def database_url(home: Home, role: str) -> str:
    """Return the URL of the database for one of its roles."""
    return cluster(home, Path()).url(role, secret(home, role), database_roles.DATABASE)


def for_service(home: Home, address: str, role: str) -> dict[str, str]:
    """Return the environment of a service: its own database role, the public keys."""
    return base() | {
        "LUNA_HOME": str(home.path),
        "LUNA_DATABASE_URL": database_url(home, role),
        "LUNA_REDIS_URL": redis_server.url(home.socket("redis"), secret(home, "redis")),
        "LUNA_AUTH_PUBLIC_KEYS_FILE": str(home.keys / "jwks.json"),
        "LUNA_PUBLIC_URL": address,
        "LUNA_MAIL_FOLDER": str(home.path / "mail"),
        "LUNA_SERVICE_INSTANCES": str(sum(map(instance_count, SERVICES))),
        "LUNA_WORKER_INSTANCES": str(instance_count("worker")),
    }


def for_owner(home: Home, address: str) -> dict[str, str]:
    """Return the operator's role and the one that owns the schema, for the command line."""
    owner = database_url(home, database_roles.OWNER)
    return for_service(home, address, OPERATOR_ROLE) | {"LUNA_DATABASE_OWNER_URL": owner}


def schema_checksum() -> str:
    """Return a checksum of migrations and privileges: what is unchanged is not applied again."""
    shared = ROOT / "backend" / "shared"
    folder, given = shared / "migrations", shared / "models" / "privileges.py"
    checksum = hashlib.sha256()
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.sql"), given]):
        checksum.update(path.read_bytes())
    return checksum.hexdigest()
