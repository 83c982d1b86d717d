"""Where everything lives that LUNA makes: `.luna/` beside the code, or `$LUNA_HOME`."""

import hashlib
import json
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOCKET_ROOM = 100  # bytes; the kernel takes 107 and PostgreSQL adds to the name
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
    def state_file(self) -> Path:
        return self.path / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def make(self) -> None:
        """Make the folders, private to us, and a place for sockets whose paths are short enough."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.logs, self.work, self.robots, self.keys):
            folder.mkdir(mode=0o700, exist_ok=True)
        room = len(os.fsencode(self.sockets / LONGEST_SOCKET))
        if room <= SOCKET_ROOM:
            self.sockets.mkdir(mode=0o700, exist_ok=True)
            return
        short = short_directory(self.path)
        if not self.sockets.is_symlink() or self.sockets.readlink() != short:
            self.sockets.unlink(missing_ok=True)
            self.sockets.symlink_to(short)

    def socket(self, name: str) -> str:
        """The short path of a socket: what programs are told, and what clients connect to."""
        return str(self.sockets.resolve() / f"{name}.sock")


def short_directory(home: Path) -> Path:
    """A private folder in the temporary directory that always belongs to this home."""
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"luna-{os.geteuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to someone else: remove it or set TMPDIR")
    folder.chmod(0o700)
    return folder


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
