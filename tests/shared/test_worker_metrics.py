"""The worker serves metrics of events, dispatch, robots and the watchdog."""

import http.client
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine, text

from backend.shared.messaging import inbox, metrics, subscriptions
from tests import event_runner
from tests.scenario import start_scenario

Read = Callable[..., float]


@pytest.fixture
def read(clean: None) -> Read:
    """Return the sum of the samples of a metric that have these labels."""
    collector = metrics.WorkerCollector()

    def value(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for family in collector.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    return value


def test_pending_event_is_counted_by_consumer_with_its_age(api: Any, read: Read) -> None:
    start_scenario(api, robots=0).request_delivery()
    event_runner.advance_clock(timedelta(seconds=40))
    labels = {"event_type": "delivery.request.created", "queue": "robot"}
    assert read("luna_events_pending", **labels) == 1
    assert 39 < read("luna_events_oldest_seconds", **labels) < 60
    assert read("luna_outbox_pending") == 1
    assert 39 < read("luna_outbox_lag_seconds") < 60
    event_runner.run_events()
    assert read("luna_events_pending") == read("luna_outbox_lag_seconds") == 0


def test_runs_and_dead_letters_are_counted(api: Any, read: Read) -> None:
    start_scenario(api, robots=0).request_delivery()
    (event,) = event_runner.pending_events()

    def fail(*_: Any) -> None:
        raise RuntimeError("handler failed")

    failed = {"consumer": subscriptions.NOTIFY, "queue": "notification", "outcome": "failed"}
    before = read("luna_event_runs_total", **failed)
    for _ in range(10):
        with pytest.raises(RuntimeError):
            inbox.consume(subscriptions.NOTIFY, fail, event["eventId"])
    inbox.consume(subscriptions.NOTIFY, fail, event["eventId"])
    assert read("luna_event_runs_total", **failed) == before + 10
    assert read("luna_dead_letters", event_type="delivery.request.created") == 1


def test_dispatch_and_robots_are_measured(api: Any, read: Read) -> None:
    scenario = start_scenario(api)
    scenario.request_delivery()
    event_runner.advance_clock(timedelta(seconds=7))
    assert read("luna_dispatch_queue") == 1
    assert read("luna_dispatch_oldest_seconds") >= 7
    assert read("luna_robots", stopped="false") == 1
    event_runner.run_events()
    assert read("luna_dispatch_queue") == 0
    assert 7 <= read("luna_dispatch_assignment_seconds") < 30


def test_late_watchdog_alerts_staff_once_and_shows_in_readiness(
    api: Any, read: Read, owner: Engine
) -> None:
    start_scenario(api, robots=0)
    event_runner.run_periodic("watchdog")
    event_runner.run_events()
    assert read("luna_watchdog_age_seconds") < 30
    event_runner.run_periodic("watchdog")  # nobody processes it
    event_runner.advance_clock(timedelta(seconds=61))
    for _ in range(2):
        event_runner.run_periodic("watchdog")
    assert read("luna_watchdog_age_seconds") > 60
    statement = text("SELECT count(*) FROM outbox WHERE event_type = 'system.watchdog.late'")
    with owner.connect() as connection:
        assert connection.scalar(statement) == 1
    event_runner.run_events()
    with owner.connect() as connection:
        told = "SELECT count(*) FROM notifications WHERE notification_type = 'SYSTEM_WATCHDOG_LATE'"
        assert connection.scalar(text(told)) == 1
    assert read("luna_watchdog_age_seconds") < 30


def test_idle_night_is_not_late(api: Any, owner: Engine) -> None:
    event_runner.run_periodic("watchdog")
    event_runner.run_events()
    event_runner.advance_clock(timedelta(hours=12))
    event_runner.run_periodic("watchdog")
    with owner.connect() as connection:
        late = "SELECT count(*) FROM outbox WHERE event_type = 'system.watchdog.late'"
        assert connection.scalar(text(late)) == 0


def test_metrics_are_served_on_a_socket(clean: None, tmp_path: Path) -> None:
    address = tmp_path / "metrics.sock"
    before = set(REGISTRY._collector_to_names)  # noqa: SLF001 (to unregister what serve registers)
    metrics.serve(f"unix:{address}")
    try:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(address))
        connection.request("GET", "/metrics")
        body = connection.getresponse().read().decode()
        connection.close()
    finally:
        for collector in set(REGISTRY._collector_to_names) - before:  # noqa: SLF001 (as above)
            REGISTRY.unregister(collector)
    assert address.stat().st_mode & 0o077 == 0
    names = set(re.findall(r"^# TYPE (luna_\w+)", body, re.MULTILINE))
    assert {"luna_event_runs_total", "luna_outbox_lag_seconds", "luna_events_sent_total"} <= names
