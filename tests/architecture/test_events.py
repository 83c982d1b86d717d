"""Every reaction has a handler, a queue that is worked off, and a line in the documents."""

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


def test_every_consumers_queue_is_worked_off() -> None:
    assert {subscriptions.queue_of(name) for name in _consumers()} <= set(celery_app.QUEUES)


def test_an_event_goes_to_a_consumer_once() -> None:
    for kind, names in subscriptions.SUBSCRIBERS.items():
        assert len(names) == len(set(names)), kind.TYPE
        assert events.BY_TYPE[kind.TYPE] is kind


def test_every_event_is_documented_with_its_meaning() -> None:
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    for name, kind in events.BY_TYPE.items():
        assert f"| `{name}` |" in page
        assert kind.__doc__, f"{kind.__name__} does not say what it means"


def test_every_event_is_found_under_its_own_name() -> None:
    for name, kind in events.BY_TYPE.items():
        assert getattr(events, kind.__name__) is kind
        assert kind.__name__ in events.__all__
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+){1,2}", name)
        assert name.partition(".")[0] in FAMILIES


def test_every_periodic_job_has_a_name_of_its_own() -> None:
    for module in celery_app.TASK_MODULES:
        importlib.import_module(module)
    names = [job.name for job in scheduler.PERIODIC_JOBS]
    assert names
    assert len(names) == len(set(names))
