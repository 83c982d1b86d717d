"""A message in Redis carries only the id of an event: forged ones have no effect."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from backend.shared.messaging import celery_app, subscriptions
from tests import event_runner
from tests.scenario import Scenario, start_scenario


@pytest.fixture
def scenario(api: Any) -> Scenario:
    """A request was created: one event is pending."""
    scenario = start_scenario(api, robots=0)
    scenario.request_delivery()
    return scenario


def _forgeries(envelope: dict[str, Any]) -> list[tuple[str, Any]]:
    """Messages that someone with access to Redis could put in a queue."""
    altered = {**envelope, "payload": {**envelope["payload"], "user_id": str(uuid4())}}
    return [
        (subscriptions.NOTIFY, str(uuid4())),  # never published
        (subscriptions.COMMAND_OUTCOME, envelope["eventId"]),  # published for other consumers
        (subscriptions.WATCHDOG, envelope["eventId"]),
        (subscriptions.NOTIFY, altered),
        (subscriptions.NOTIFY, "x' OR true"),
        (subscriptions.NOTIFY, None),
        (subscriptions.NOTIFY, []),
    ]


def test_forged_message_has_no_effect(scenario: Scenario, owner: Engine) -> None:
    (envelope,) = event_runner.pending_events()
    event_runner.load_handlers()
    for consumer, body in _forgeries(envelope):
        celery_app.celery.tasks[consumer].run(body)
    rows = text(
        "SELECT (SELECT count(*) FROM processed_events) + (SELECT count(*) FROM event_runs)"
        " + (SELECT count(*) FROM notifications)"
    )
    with owner.connect() as connection:
        assert connection.scalar(rows) == 0
    event_runner.run_events()
    assert scenario.state == "QUEUED"
