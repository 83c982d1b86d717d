"""Search the logs of a whole run for every secret that the run has made.

The functions that make secrets are watched, and the services' log is kept beside what pytest
captures. A secret is found as a word, so that a search takes as long as reading the log.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TextIO

import pytest

_WORD = re.compile(r"[A-Za-z0-9_-]{10,}")
_SHORT = 40  # the last line of a key may be found anywhere


class SecretSearch:
    """Secrets, as the words by which they are recognized in a text."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._phrases: set[str] = set()

    def add(self, secret: str) -> None:
        """Search for a secret; of a token in parts its last part, the signature."""
        word = secret.strip().rpartition(".")[2]
        (self._words if _WORD.fullmatch(word) else self._phrases).add(word)

    def add_all(self, secrets: Iterable[str]) -> None:
        """Search for several secrets."""
        for secret in secrets:
            self.add(secret)

    def found_in(self, lines: Iterable[str]) -> list[str]:
        """Return the lines with a secret."""
        return [line for line in lines if self._has_secret(line)]

    def _has_secret(self, line: str) -> bool:
        return not self._words.isdisjoint(_WORD.findall(line)) or any(
            phrase in line for phrase in self._phrases
        )


class _Tee:
    """Writes to a file beside the current standard output."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, words: str) -> int:
        self._file.write(words)
        return sys.stdout.write(words)

    def flush(self) -> None:
        sys.stdout.flush()


def _watch(
    patch: pytest.MonkeyPatch, module: ModuleType, name: str, add: Callable[[Any], None]
) -> None:
    make = getattr(module, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        made = make(*args, **kwargs)
        add(made)
        return made

    patch.setattr(module, name, watched)


@contextmanager
def searched_log(path: Path) -> Iterator[SecretSearch]:
    """Write the log of this process to a file too; at the end no secret may be in it."""
    import logging

    import pyotp

    from backend.auth.service import refresh_tokens
    from backend.auth.service.second_factor import factors
    from backend.shared.infra import logs
    from backend.shared.web.security import api_keys, signing
    from tests.api.auth import registered_user
    from tests.factories import users

    search = SecretSearch()
    for known in (users.PASSWORD, registered_user.PASSWORD):
        search.add(known)
    with pytest.MonkeyPatch.context() as patch, path.open("w", encoding="utf-8") as file:
        for module, name in (
            (api_keys, "new_secret"),
            (refresh_tokens, "_build"),
            (signing, "sign"),
            (pyotp, "random_base32"),
        ):
            _watch(patch, module, name, search.add)
        _watch(patch, api_keys, "_new_key", lambda key: search.add(key[0]))
        _watch(patch, factors, "_new_recovery_codes", search.add_all)
        patch.setattr(logs, "sys", SimpleNamespace(stdout=_Tee(file)))
        logs.configure("tests")
        logging.getLogger().setLevel(logging.INFO)
        yield search
    with path.open(encoding="utf-8") as lines:
        assert search.found_in(lines) == []


def check_home(home: Path) -> None:
    """Search the logs of a system that has run for its keys, passwords and mailed tokens."""
    search = SecretSearch()
    for path in [*(home / "keys").glob("*.secret"), *(home / "robots").glob("*.key")]:
        search.add(path.read_text(encoding="ascii"))
    for path in (home / "keys").glob("*.pem"):
        words = path.read_text(encoding="ascii").splitlines()
        search.add_all(line for line in words if len(line) > _SHORT and line[0] != "-")
    for path in (home / "mail").glob("*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        body = message.get_body(("plain",))
        search.add_all(re.findall(r"#token=([\w-]+)", body.get_content() if body else ""))
    for log in (home / "logs").glob("*"):
        with log.open(encoding="utf-8", errors="replace") as lines:
            assert search.found_in(lines) == [], log.name
