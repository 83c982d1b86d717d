"""What the tests of notifications stand on: events reach this service's consumers alone."""

import pytest

from backend.shared.messaging import subscriptions
from tests import event_runner


@pytest.fixture(autouse=True)
def _others_do_not_react(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journeys here are hand-made; a dispatcher would set out on them."""

    def ours(event_type: str) -> list[str]:
        consumers = subscriptions.consumers_of(event_type)
        return [name for name in consumers if subscriptions.queue_of(name) == "notification"]

    monkeypatch.setattr(event_runner, "consumers_of", ours)
