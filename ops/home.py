"""Where everything lives that LUNA makes: `.luna/` beside the code, or `$LUNA_HOME`."""

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
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOCKET_ROOM = 100  # bytes; the kernel takes 107 and PostgreSQL adds to the name
SOCKET_FRIENDLY = re.compile(r"[A-Za-z0-9_./-]+")  # what needs no quoting anywhere
LONGEST_SOCKET = "notification-service.sock"


@dataclass(frozen=True)
class Home:
    """The places in one `.luna/`. Two checkouts have two homes and share nothing."""

    path: Path

    @classmethod
    def chosen(cls) -> "Home":
        return cls(Path(os.environ.get("LUNA_HOME") or ROOT / ".luna").absolute())

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def work(self) -> Path:
        """Each part's own working directory: by it a process is known to be ours."""
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
        """The cluster and what was done in it; a link elsewhere when another user must own it."""
        return self.path / "postgres"

    @property
    def state_file(self) -> Path:
        return self.path / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def make(self, database_user: str | None = None) -> None:
        """Make the folders, private to us, and a place for sockets whose paths are short enough.

        `database_user` is who PostgreSQL runs as when that is not us: its data and its socket then
        live where that user can go.
        """
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        for folder in (self.logs, self.work, self.robots, self.keys):
            folder.mkdir(mode=0o700, exist_ok=True)
        names_are_easy = SOCKET_FRIENDLY.fullmatch(str(self.path)) and (
            len(os.fsencode(self.sockets / LONGEST_SOCKET)) <= SOCKET_ROOM
        )
        if names_are_easy and not database_user:
            self.sockets.mkdir(mode=0o700, exist_ok=True)
        else:
            _link(self.sockets, elsewhere(self.path, tempfile.gettempdir(), database_user))
        database_sockets = self.sockets / "postgres"
        database_sockets.mkdir(mode=0o700, exist_ok=True)
        if database_user:
            _link(self.postgres, elsewhere(self.path, "/var/lib", database_user))
            for folder in (database_sockets, self.postgres):
                shutil.chown(folder, database_user, database_user)
        else:
            self.postgres.mkdir(mode=0o700, exist_ok=True)

    def socket(self, name: str) -> str:
        """The short path of a socket: what programs are told, and what clients connect to."""
        return str(self.sockets.resolve() / f"{name}.sock")


def elsewhere(home: Path, parent: str, passes: str | None) -> Path:
    """A folder of ours in a public place that always belongs to this home.

    Private, unless another user has to pass through it.
    """
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:10]
    folder = Path(parent) / f"luna-{os.geteuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    allowed = {os.geteuid(), pwd.getpwnam(passes).pw_uid if passes else os.geteuid()}
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in allowed:
        raise PermissionError(f"{folder} belongs to someone else: remove it or set TMPDIR")
    folder.chmod(0o711 if passes else 0o700)
    return folder


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)  # from a time when the home could hold it itself
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file at once: a reader never sees half of it, nor someone else a secret."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty when there is none or it is not one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def secret(home: Home, name: str) -> str:
    """A password made once and kept in a file only we can read; letters safe in a URL."""
    path = home.keys / f"{name}.secret"
    if not path.exists():
        write_whole(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii").strip()


def last_lines(log: Path, count: int) -> list[str]:
    """The end of a log; nothing when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
