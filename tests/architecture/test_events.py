"""Every consumer has a handler and a queue; every event is documented."""

import importlib
import re

from backend.shared import events
from backend.shared.messaging import celery_app, scheduler, subscriptions
from ops.home import ROOT

FAMILIES = {"catalog", "circulation", "delivery", "robot", "account", "notification", "system"}


def _consumers() -> set[str]:
    return {name for names in subscriptions.SUBSCRIBERS.values() for name in names}


def test_every_consumer_has_one_handler() -> None:
    for module in celery_app.TASK_MODULES:
        importlib.import_module(module)
    ours = {name for name in celery_app.celery.tasks if not name.startswith("celery.")}
    assert ours == _consumers()


def test_every_consumer_queue_has_a_worker() -> None:
    assert {subscriptions.queue_of(name) for name in _consumers()} <= {
        *celery_app.QUEUES,
        *celery_app.IMPORT_QUEUES,
    }


def test_event_has_each_consumer_once() -> None:
    for kind, names in subscriptions.SUBSCRIBERS.items():
        assert len(names) == len(set(names)), kind.TYPE
        assert events.BY_TYPE[kind.TYPE] is kind


def test_every_event_is_documented() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    for name, kind in events.BY_TYPE.items():
        assert f"| `{name}` |" in page
        assert kind.__doc__, f"{kind.__name__} has no docstring"


def test_every_event_is_exported_under_its_name() -> None:
    for name, kind in events.BY_TYPE.items():
        assert getattr(events, kind.__name__) is kind
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+){1,2}", name)
        assert name.partition(".")[0] in FAMILIES


def test_periodic_job_names_are_unique() -> None:
    for module in celery_app.TASK_MODULES:
        importlib.import_module(module)
    names = [job.name for job in scheduler.PERIODIC_JOBS]
    assert names
    assert len(names) == len(set(names))
