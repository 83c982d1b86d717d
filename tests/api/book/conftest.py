"""What the tests of the book service stand on: the catalogue as people meet it."""

from typing import Any

import pytest

from backend.shared.messaging import celery_app, subscriptions
from tests import event_runner
from tests.api.book.catalogue_client import Library
from tests.factories import users


@pytest.fixture
def library(api: Any) -> Library:
    """The catalogue as a librarian and a student meet it."""
    return Library(api, users.librarian(), users.student())


@pytest.fixture(autouse=True)
def _others_do_not_react(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other services make of these events is tested with them."""

    def ours(event_type: str) -> list[str]:
        consumers = subscriptions.consumers_of(event_type)
        return [name for name in consumers if subscriptions.queue_of(name) == "catalog"]

    monkeypatch.setattr(event_runner, "consumers_of", ours)
    monkeypatch.setattr(celery_app, "TASK_MODULES", ["backend.book.tasks"])
