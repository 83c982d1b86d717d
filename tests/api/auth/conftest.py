"""Someone who has just registered, and what was written of what they did."""

from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.auth.registered_user import Newcomer

_numbers = count(1)


@pytest.fixture
def register(api: Any) -> Callable[[], Newcomer]:
    def registered() -> Newcomer:
        number = next(_numbers)
        return Newcomer.of(api, f"reader{number}@university.edu")

    return registered


@pytest.fixture
def ada(register: Callable[[], Newcomer]) -> Newcomer:
    """Someone who has just registered and is signed in."""
    return register()


@pytest.fixture
def audit_trail(owner: Engine) -> Callable[[], list[Any]]:
    """What the audit says so far: (action, user, resource, changes)."""

    def rows() -> list[Any]:
        with owner.connect() as connection:
            return list(
                connection.execute(
                    text("SELECT action, user_id, resource_id, changes FROM audit_logs ORDER BY id")
                )
            )

    return rows


@pytest.fixture
def published(owner: Engine) -> Callable[[], list[str]]:
    """The events that were written with what was done, in order."""

    def types() -> list[str]:
        with owner.connect() as connection:
            written = text("SELECT event_type FROM outbox ORDER BY id")
            return list(connection.execute(written).scalars())

    return types


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let what services remember of sessions grow older, without waiting for it."""
    import time

    def pass_by(seconds: float) -> None:
        moved = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds)
        monkeypatch.setattr("backend.shared.web.security.authentication.time", moved)

    return pass_by
