"""Deliver events to the consumers of the notification service only."""

import pytest

from backend.shared.messaging import subscriptions
from tests import event_runner


@pytest.fixture(autouse=True)
def _only_own_consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tasks here are written directly; the dispatcher must not assign them."""

    def own_consumers(event_type: str) -> list[str]:
        consumers = subscriptions.consumers_of(event_type)
        return [name for name in consumers if subscriptions.queue_of(name) == "notification"]

    monkeypatch.setattr(event_runner, "consumers_of", own_consumers)
