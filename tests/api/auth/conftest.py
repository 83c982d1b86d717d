"""Fixtures: a registered user, the audit log and the published events."""

import logging
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import logs
from backend.shared.web.security import authentication
from tests.api.auth.registered_user import RegisteredUser

_numbers = count(1)


@pytest.fixture
def register(api: Any) -> Callable[[], RegisteredUser]:
    return lambda: RegisteredUser.register(api, f"reader{next(_numbers)}@university.edu")


@pytest.fixture
def ada(register: Callable[[], RegisteredUser]) -> RegisteredUser:
    """A new user with a session."""
    return register()


@pytest.fixture
def audit_trail(owner: Engine) -> Callable[[], list[Any]]:
    """Read the audit log: (action, user, resource, changes), oldest first."""

    def rows() -> list[Any]:
        with owner.connect() as connection:
            return list(
                connection.execute(
                    text("SELECT action, user_id, resource_id, changes FROM audit_logs ORDER BY id")
                )
            )

    return rows


@pytest.fixture
def published_events(owner: Engine) -> Callable[[], list[str]]:
    """Read the event types in the outbox, oldest first."""

    def types() -> list[str]:
        with owner.connect() as connection:
            written = text("SELECT event_type FROM outbox ORDER BY id")
            return list(connection.execute(written).scalars())

    return types


@pytest.fixture
def advance_monotonic() -> Callable[[float], None]:
    """Expire cached sessions as if seconds had passed."""

    def advance(seconds: float) -> None:
        authentication.session_cache.expire(time.monotonic() + seconds)

    return advance


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Log as a service does; return the lines in lower case."""
    root = logging.getLogger()
    before = root.handlers, root.level
    logs.configure("auth-service")
    root.setLevel(logging.INFO)

    def lines() -> str:
        return capsys.readouterr().out.lower()

    yield lines
    root.handlers, root.level = before
