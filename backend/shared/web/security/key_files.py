"""The key files, read again when they change, so that a rotation restarts no service."""

import os
import time
from pathlib import Path

from backend.shared.infra import config

_INTERVAL = 1.0  # seconds between two looks at an unchanged file


class KeyFile:
    """The text of `LUNA_<NAME>`, or of the file that `LUNA_<NAME>_FILE` names."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._variable = f"LUNA_{name.upper()}_FILE"
        self._text: str | None = None
        self._seen: tuple[int, int, int] | None = None  # inode, time and size of the file read
        self._checked = 0.0

    def text(self, *, fresh: bool = False) -> str | None:
        """Return the text, at most a second old; `fresh` looks at the file now.

        Returns the same object while the file is unchanged.
        """
        path = os.environ.get(self._variable)
        if path is None:
            value: str | None = getattr(config.auth(), self._name)
            return value
        now = time.monotonic()
        if fresh or self._text is None or now - self._checked >= _INTERVAL:
            self._checked = now
            self._read(path)
        return self._text

    def _read(self, path: str) -> None:
        found = os.stat(path)  # noqa: PTH116 (a Path takes longer than the call)
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            self._text, self._seen = Path(path).read_text(encoding="ascii").strip(), seen


PRIVATE = KeyFile("auth_private_key")
PUBLIC = KeyFile("auth_public_keys")
