"""A PostgreSQL cluster of our own: on a Unix socket only, small when idle, safe on a crash."""

from dataclasses import dataclass
from pathlib import Path

from ops.processes import working_directory
from ops.servers import run_as

PORT = 5432  # only the socket's name; nothing listens on TCP

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # a small idle footprint: the operating system's cache does the rest
    "shared_buffers": "64MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "autovacuum_max_workers": "2",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "huge_pages": "off",
    "jit": "off",  # short queries only: compiling costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u ",
    "log_min_duration_statement": "500ms",
}
# for throw-away test clusters only: a crash may lose them
FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "log_min_duration_statement": "-1",
}


@dataclass(frozen=True)
class Cluster:
    """Where a cluster lives and the words that make and start it."""

    programs: Path
    data: Path
    sockets: Path

    @property
    def socket(self) -> str:
        return str(self.sockets / f".s.PGSQL.{PORT}")

    def url(self, user: str, password: str, database: str) -> str:
        """For SQLAlchemy; the password is made of URL-safe letters."""
        return (
            f"postgresql+psycopg2://{user}:{password}@/{database}?host={self.sockets}&port={PORT}"
        )

    def make_command(self, password_file: Path, *, forgetful: bool = False) -> list[str]:
        """Make the cluster beside its place and move it there, so that half a one is never used."""
        script = (
            'rm -rf "$2.new" && "$1" --pgdata="$2.new" --username=postgres --pwfile="$3" '
            "--auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-instructions $4 >/dev/null "
            '&& mv "$2.new" "$2"'
        )
        words = ["sh", "-c", script, "initdb", str(self.programs / "initdb"), str(self.data)]
        quick = ["--no-sync"] if forgetful else []
        return [*run_as.stand_in()[0], *words, str(password_file), *quick]

    def start_command(self, *, forgetful: bool = False) -> list[str]:
        chosen = SETTINGS | {"unix_socket_directories": str(self.sockets)}
        if forgetful:
            chosen |= FAST_AND_FORGETFUL
        words = [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(PORT)]
        for name, value in chosen.items():
            words += ["-c", f"{name}={value}"]
        return [*run_as.stand_in()[0], *words]

    def clear_stale_locks(self) -> None:
        """Drop lock files whose process is gone: its number may be someone else's by now.

        A postmaster always works in its data directory, so that tells ours apart.
        """
        for lock in (self.data / "postmaster.pid", self.sockets / f".s.PGSQL.{PORT}.lock"):
            try:
                pid = int(lock.read_text(encoding="ascii").split()[0])
            except (OSError, ValueError, IndexError):
                continue
            if working_directory(pid) != self.data.resolve():
                lock.unlink(missing_ok=True)
