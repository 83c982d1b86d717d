"""What the tests of notifications stand on: events reach this service's consumers alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.shared import subscribers, worker
from tests import chain


@pytest.fixture(scope="session", autouse=True)
def _only_us() -> Iterator[None]:
    kept = list(worker.TASK_MODULES)
    worker.TASK_MODULES[:] = ["backend.notification.tasks"]
    yield
    worker.TASK_MODULES[:] = kept


@pytest.fixture(autouse=True)
def _others_do_not_react(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journeys here are hand-made; a dispatcher would set out on them."""

    def ours(event_type: str) -> list[str]:
        consumers = subscribers.consumers_of(event_type)
        return [name for name in consumers if subscribers.queue_of(name) == "notification"]

    monkeypatch.setattr(chain, "consumers_of", ours)


@pytest.fixture(scope="session")
def _own_client(servers: dict[str, str]) -> Iterator[Any]:
    from starlette.testclient import TestClient

    from backend.notification.main import app

    with TestClient(app) as client:
        yield client


@pytest.fixture
def api(_own_client: Any, clean: None) -> Any:
    return _own_client
