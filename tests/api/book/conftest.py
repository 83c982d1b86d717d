"""What the tests of the book service stand on: the catalogue as people meet it."""

from typing import Any

import pytest

from backend.shared import subscribers, worker
from tests import chain, people
from tests.api.book.library import Library


@pytest.fixture
def library(api: Any) -> Library:
    """The catalogue as a librarian and a student meet it."""
    return Library(api, people.librarian(), people.student())


@pytest.fixture(autouse=True)
def _others_do_not_react(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other services make of these events is tested with them."""

    def ours(event_type: str) -> list[str]:
        consumers = subscribers.consumers_of(event_type)
        return [name for name in consumers if subscribers.queue_of(name) == "catalog"]

    monkeypatch.setattr(chain, "consumers_of", ours)
    monkeypatch.setattr(worker, "TASK_MODULES", ["backend.book.tasks"])
