"""Fixtures of the book service's tests."""

from typing import Any

import pytest

from backend.shared.messaging import celery_app, subscriptions
from tests import event_runner
from tests.api.book.catalogue_client import CatalogueClient
from tests.factories import users


@pytest.fixture
def catalogue(api: Any) -> CatalogueClient:
    """A client with a librarian and a student."""
    return CatalogueClient(api, users.librarian(), users.student())


@pytest.fixture(autouse=True)
def _only_catalogue_consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exclude the consumers of other services, which have their own tests."""

    def catalogue_consumers(event_type: str) -> list[str]:
        consumers = subscriptions.consumers_of(event_type)
        return [name for name in consumers if subscriptions.queue_of(name) == "catalog"]

    monkeypatch.setattr(event_runner, "consumers_of", catalogue_consumers)
    monkeypatch.setattr(celery_app, "TASK_MODULES", ["backend.book.tasks"])
