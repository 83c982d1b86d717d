"""Nothing lost, nothing doubled (events.md §2): the real outbox, relay and inbox.

The broker alone is a stand-in: it keeps what it is given, loses it, or is away.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import database, redis
from backend.shared.messaging import celery_app, inbox, relay, scheduler, subscriptions
from tests import event_runner
from tests.scenario import Scenario, start_scenario


class Broker:
    """Takes events as Celery would."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.is_away = False

    def send_task(self, name: str, args: list[Any], queue: str, **_: Any) -> None:
        if self.is_away:
            raise OSError("no broker")
        assert queue == name.partition(".")[0]
        self.sent.append((name, args[0]))

    def consumers(self) -> list[str]:
        """Who was sent something since the last look."""
        names = [name for name, _ in self.sent]
        self.sent.clear()
        return sorted(names)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def sender(broker: Broker) -> relay.Relay:
    return relay.Relay(broker)  # type: ignore[arg-type]  # a stand-in at the port


@pytest.fixture
def asked(api: Any) -> Scenario:
    """A request has been made: one event waits, for the dispatcher and for notifications."""
    scenario = start_scenario(api, robots=0)
    scenario.request_delivery()
    return scenario


BOTH = sorted([subscriptions.DISPATCH, subscriptions.NOTIFY])


def _acked(owner: Engine) -> bool:
    question = "SELECT acked_at IS NOT NULL FROM outbox WHERE event_type LIKE '%request.created'"
    with owner.connect() as connection:
        return bool(connection.scalar(text(question)))


def _process(envelope: dict[str, Any], name: str) -> None:
    celery_app.celery.tasks[name].run(envelope)


def test_an_event_is_finished_only_when_every_consumer_has_done_it(
    asked: Scenario, owner: Engine, broker: Broker, sender: relay.Relay
) -> None:
    (envelope,) = event_runner.pending_events()
    event_runner.redeliver({**envelope, "eventType": "system.nothing"})  # loads the handlers
    sender.relay_batch()
    assert broker.consumers() == BOTH
    _process(envelope, subscriptions.DISPATCH)
    event_runner.advance_clock(timedelta(seconds=6))
    sender.relay_batch()
    assert subscriptions.NOTIFY in broker.consumers()
    assert not _acked(owner)
    _process(envelope, subscriptions.NOTIFY)
    event_runner.advance_clock(timedelta(seconds=16))
    sender.relay_batch()
    assert _acked(owner)


def test_an_event_that_is_lost_on_the_way_is_sent_again_after_5_10_and_15_seconds(
    asked: Scenario, broker: Broker, sender: relay.Relay
) -> None:
    sender.relay_batch()
    for wait in (5, 10, 15, 15):
        broker.sent.clear()
        event_runner.advance_clock(timedelta(seconds=wait - 2))
        sender.relay_batch()
        assert broker.consumers() == []
        event_runner.advance_clock(timedelta(seconds=2.1))
        sender.relay_batch()
        assert broker.consumers() == BOTH


def test_an_event_that_comes_twice_has_one_effect(asked: Scenario, owner: Engine) -> None:
    (envelope,) = event_runner.pending_events()
    for _ in range(3):
        event_runner.redeliver(envelope)
    history = asked.task["history"]
    assert [step["to_status"] for step in history] == ["PENDING", "QUEUED"]
    with owner.connect() as connection:
        told = connection.scalar(text("SELECT count(*) FROM notifications"))
    assert told == 1


def test_an_event_that_two_workers_have_at_once_has_one_effect(asked: Scenario) -> None:
    """The second waits at the inbox row of the first, and finds it done."""
    (envelope,) = event_runner.pending_events()
    effects: list[Any] = []
    began, may_end = Event(), Event()

    def effect(_session: Any, event: Any, _delivery: Any) -> None:
        effects.append(event)
        began.set()
        assert may_end.wait(10)

    with ThreadPoolExecutor(2) as workers:
        first = workers.submit(inbox.consume, subscriptions.NOTIFY, effect, envelope)
        assert began.wait(10)
        second = workers.submit(inbox.consume, subscriptions.NOTIFY, effect, envelope)
        _until_someone_waits_for_a_lock()
        may_end.set()
        first.result()
        second.result()
    assert len(effects) == 1


def _until_someone_waits_for_a_lock() -> None:
    question = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    end = monotonic() + 10
    with database.reading_engine().connect() as connection:
        while connection.scalar(text(question)) == 0:
            assert monotonic() < end, "the second worker never came to the inbox"


def test_an_absent_broker_loses_nothing(
    asked: Scenario, broker: Broker, sender: relay.Relay, owner: Engine
) -> None:
    broker.is_away = True
    sender.relay_batch()
    assert not _acked(owner)
    broker.is_away = False
    event_runner.advance_clock(timedelta(seconds=1.1))
    sender.relay_batch()
    assert broker.consumers() == BOTH


def test_a_redis_that_forgot_everything_is_sent_everything_unfinished_at_once(
    asked: Scenario, broker: Broker, sender: relay.Relay
) -> None:
    sender._detect_redis_restart()  # noqa: SLF001 (what its loop does each second)
    sender.relay_batch()
    broker.sent.clear()
    redis.client().flushall()
    sender._next_look = 0.0  # noqa: SLF001 (a second later)
    sender._detect_redis_restart()  # noqa: SLF001 (what its loop does each second)
    sender.relay_batch()
    assert broker.consumers() == BOTH


def test_two_relays_at_once_send_each_event_once(asked: Scenario, broker: Broker) -> None:
    for number in range(20):
        asked.as_librarian("priority", priority=("HIGH", "LOW")[number % 2])
    event_runner.run_events()
    asked.as_librarian("priority", priority="URGENT")
    for number in range(20):
        asked.as_librarian("priority", priority=("HIGH", "LOW")[number % 2])
    waiting = len(event_runner.pending_events())
    relays = [relay.Relay(broker) for _ in range(2)]  # type: ignore[arg-type]  # a stand-in
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.relay_batch(), relays))
    sent = Counter(envelope["eventId"] for _, envelope in broker.sent)
    assert set(sent.values()) == {1}
    assert len(sent) == waiting == 21


def _fails(*_: Any) -> None:
    raise RuntimeError("poison")


def test_an_event_whose_handler_failed_ten_times_is_a_dead_letter(
    asked: Scenario, broker: Broker, sender: relay.Relay, owner: Engine
) -> None:
    (envelope,) = event_runner.pending_events()
    for _ in range(10):
        with pytest.raises(RuntimeError, match="poison"):
            inbox.consume(subscriptions.NOTIFY, _fails, envelope)
    assert _dead(owner) is None
    inbox.consume(subscriptions.NOTIFY, _fails, envelope)  # is not run again
    assert subscriptions.NOTIFY in _dead(owner)
    event_runner.advance_clock(timedelta(minutes=1))
    sender.relay_batch()
    sent = {each["eventId"]: each["eventType"] for _, each in broker.sent}
    assert envelope["eventId"] not in sent
    assert len(sent) == 1  # staff are told of it


def test_sending_an_event_again_is_no_failure_of_its_handler(
    asked: Scenario, broker: Broker, sender: relay.Relay, owner: Engine
) -> None:
    for _ in range(30):
        sender.relay_batch()
        event_runner.advance_clock(timedelta(seconds=16))
    assert len(broker.sent) == 60
    assert _dead(owner) is None
    event_runner.run_events()
    assert asked.state == "QUEUED"


def test_a_failed_handler_leaves_nothing_behind_and_may_succeed_later(
    asked: Scenario, owner: Engine
) -> None:
    (envelope,) = event_runner.pending_events()
    with pytest.raises(RuntimeError, match="poison"):
        inbox.consume(subscriptions.DISPATCH, _fails, envelope)
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM processed_events")) == 0
    event_runner.run_events()
    assert asked.state == "QUEUED"


def _dead(owner: Engine) -> Any:
    with owner.connect() as connection:
        return connection.scalar(text("SELECT last_error FROM outbox WHERE dead_at IS NOT NULL"))


def test_an_event_is_never_told_of_a_change_that_was_not_committed(
    asked: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(event_runner.pending_events())
    asked.as_librarian("book-placed", 409)
    asked.as_student("complete", 409)
    assert len(event_runner.pending_events()) == before


def test_periodic_work_is_done_by_one_scheduler_at_a_time(asked: Scenario, owner: Engine) -> None:
    event_runner.run_periodic("delivery.deadlines")
    job = next(job for job in scheduler.PERIODIC_JOBS if job.name == "delivery.deadlines")
    with owner.begin() as elsewhere:
        elsewhere.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"job:{job.name}"}
        )
        assert scheduler.run_periodic(job) is False
    assert scheduler.run_periodic(job) is True
