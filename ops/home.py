"""The data folder: `.luna/` in the checkout, or `$LUNA_HOME`."""

import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
MAX_SOCKET_PATH = 100  # bytes; the kernel allows 107 and PostgreSQL extends the name
SAFE_PATH = re.compile(r"[A-Za-z0-9_./-]+")  # needs no quoting in a configuration file
LONGEST_SOCKET_NAME = "notification-service.sock"


@dataclass(frozen=True)
class Home:
    """The paths in one data folder. Two homes share nothing."""

    path: Path

    @classmethod
    def chosen(cls) -> "Home":
        return cls(Path(os.environ.get("LUNA_HOME") or ROOT / ".luna").absolute())

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def work(self) -> Path:
        """The working directories of the components, which identify their processes."""
        return self.path / "work"

    @property
    def robots(self) -> Path:
        return self.path / "robots"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def sockets(self) -> Path:
        return self.path / "run"

    @property
    def postgres(self) -> Path:
        """The cluster and its marker files; a link if another user must own them."""
        return self.path / "postgres"

    @property
    def state_file(self) -> Path:
        return self.path / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"

    def make(self, database_user: str | None = None) -> None:
        """Create the folders, private to this user, and one for sockets with short paths.

        `database_user` is the user that PostgreSQL runs as, if it is another one: its data and its
        socket are then in folders that this user can reach.
        """
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        for folder in (self.logs, self.work, self.robots, self.keys):
            folder.mkdir(mode=0o700, exist_ok=True)
        path_is_safe = SAFE_PATH.fullmatch(str(self.path)) and (
            len(os.fsencode(self.sockets / LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH
        )
        if path_is_safe and not database_user:
            self.sockets.mkdir(mode=0o700, exist_ok=True)
        else:
            _link(self.sockets, public_folder(self.path, tempfile.gettempdir(), database_user))
        database_sockets = self.sockets / "postgres"
        database_sockets.mkdir(mode=0o700, exist_ok=True)
        if database_user:
            _link(self.postgres, public_folder(self.path, "/var/lib", database_user))
            for folder in (database_sockets, self.postgres):
                shutil.chown(folder, database_user, database_user)
        else:
            self.postgres.mkdir(mode=0o700, exist_ok=True)

    def socket(self, name: str) -> str:
        """Return the short path of a socket, for programs and clients."""
        return str(self.sockets.resolve() / f"{name}.sock")


def public_folder(home: Path, parent: str, user: str | None) -> Path:
    """Create the folder of this home below a public one; `user`, if given, may enter it."""
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:10]
    return private_folder(Path(parent) / f"luna-{os.geteuid()}-{digest}", user)


def private_folder(folder: Path, user: str | None = None) -> Path:
    """Create a folder below a public one; `user`, if given, may enter and own it.

    Another user may have created it, or a link, before: that is refused, never followed.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    allowed = {os.geteuid(), pwd.getpwnam(user).pw_uid if user else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in allowed:
        raise PermissionError(f"{folder} belongs to another user: delete it or set TMPDIR")
    folder.chmod(0o711 if user else 0o700)
    return folder


def open_lock(path: Path) -> IO[str]:
    """Open a lock file, created if missing; a link is refused and the content is kept."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "r+")


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)  # of an earlier start, when the home could hold it
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file atomically; other users never read it, not even for a moment."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; return {} when there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def secret(home: Home, name: str) -> str:
    """Return a password of URL-safe characters, generated once and kept in a private file."""
    path = home.keys / f"{name}.secret"
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii").strip()


def last_lines(log: Path, count: int) -> list[str]:
    """Return the last lines of a log, of at most 64 KiB; [] when there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
