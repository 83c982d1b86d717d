"""Publish an event exactly when its change is committed.

a change and its event are rows of one transaction → the relay sends the event until every
consumer has processed it → the inbox discards repeats.

SQLAlchemy writes the outbox row, PostgreSQL notifies the relay at commit, Celery runs the
consumer with Redis as its broker.
"""

from tests import event_runner
from tests.scenario import Scenario


def test_event_delivered_twice_takes_effect_once(scenario: Scenario) -> None:
    scenario.run_events()  # those of the robot that came online
    scenario.request_delivery()
    (event,) = event_runner.pending_events()
    assert event["eventType"] == "delivery.request.created"
    event_runner.redeliver(event)
    event_runner.redeliver(event)
    assert scenario.run_events().count("delivery.task.assigned") == 1
    assert len(scenario.get(scenario.student, "/notifications")) == 2
    assert event_runner.pending_events() == []
