"""What the tests of notifications stand on: events reach this service's consumers alone."""

import pytest

from backend.shared import subscribers
from tests import chain


@pytest.fixture(autouse=True)
def _others_do_not_react(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journeys here are hand-made; a dispatcher would set out on them."""

    def ours(event_type: str) -> list[str]:
        consumers = subscribers.consumers_of(event_type)
        return [name for name in consumers if subscribers.queue_of(name) == "notification"]

    monkeypatch.setattr(chain, "consumers_of", ours)
