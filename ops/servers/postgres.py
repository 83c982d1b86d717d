"""A PostgreSQL cluster on a Unix socket: initdb and server commands, settings, stale locks."""

from dataclasses import dataclass
from pathlib import Path

from ops.processes import working_directory
from ops.servers import run_as

PORT = 5432  # part of the socket's name; nothing listens on TCP

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "160",  # a service that is replaced has its own beside its successor's
    # little memory when idle; the operating system caches the files
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
    # statements and the values of keys hold personal data, which erasure does not reach in a log
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# for temporary test clusters only: a crash may lose data
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_writer_delay": "10s",  # nobody waits for what it writes
    "max_connections": "400",  # of several pytest workers
}


@dataclass(frozen=True)
class Cluster:
    """The paths of a cluster and the commands that create and start it."""

    programs: Path
    data: Path
    sockets: Path

    @property
    def socket(self) -> str:
        return str(self.sockets / f".s.PGSQL.{PORT}")

    def url(self, user: str, password: str, database: str) -> str:
        """Return a SQLAlchemy URL; `password` must consist of URL-safe characters."""
        return (
            f"postgresql+psycopg2://{user}:{password}@/{database}?host={self.sockets}&port={PORT}"
        )

    def make_command(self, password_file: Path, *, durable: bool = True) -> list[str]:
        """Return the command that runs initdb beside `data` and renames the complete result."""
        script = (
            'rm -rf "$2.new" && "$1" --pgdata="$2.new" --username=postgres --pwfile="$3" '
            "--auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-instructions $4 >/dev/null "
            '&& mv "$2.new" "$2"'
        )
        words = ["sh", "-c", script, "initdb", str(self.programs / "initdb"), str(self.data)]
        quick = ["--no-sync"] if not durable else []
        return [*run_as.unprivileged()[0], *words, str(password_file), *quick]

    def start_command(self, connections: int = 0, *, durable: bool = True) -> list[str]:
        chosen = SETTINGS | {"unix_socket_directories": str(self.sockets)}
        if connections:
            chosen["max_connections"] = str(connections)
        if not durable:
            chosen |= NOT_DURABLE
        words = [str(self.programs / "postgres"), "-D", str(self.data), "-p", str(PORT)]
        for name, value in chosen.items():
            words += ["-c", f"{name}={value}"]
        return [*run_as.unprivileged()[0], *words]

    def clear_stale_locks(self) -> None:
        """Delete lock files of a postmaster that has ended.

        The pid may belong to another process by now, so the working directory decides: that of a
        postmaster is its data directory.
        """
        for lock in (self.data / "postmaster.pid", self.sockets / f".s.PGSQL.{PORT}.lock"):
            try:
                pid = int(lock.read_text(encoding="ascii").split()[0])
            except (OSError, ValueError, IndexError):
                continue
            if working_directory(pid) != self.data.resolve():
                lock.unlink(missing_ok=True)
