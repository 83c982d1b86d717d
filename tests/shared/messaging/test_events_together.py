"""Events that one message brings together: each takes effect, whatever becomes of the others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection
from sqlalchemy import Engine, event, text

from backend.notification import tasks as notification_tasks
from backend.shared.events import RobotFreed
from backend.shared.infra import config, database, redis
from backend.shared.infra.telemetry import processor_use
from backend.shared.messaging import broker as transport
from backend.shared.messaging import (
    due_events,
    inbox,
    outbox,
    relay,
    relay_pauses,
    subscriptions,
)
from tests import event_runner
from tests.conftest import redis_url
from tests.scenario import start_scenario


class Broker:
    """Keeps the messages that Celery would receive."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str]]] = []

    def send_task(self, name: str, args: list[str], **_: Any) -> None:
        self.messages.append((name, args))

    def to(self, consumer: str) -> list[list[str]]:
        """Return the messages to a consumer since the last call."""
        found = [args for name, args in self.messages if name == consumer]
        self.messages.clear()
        return found

    def sent(self) -> set[str]:
        """Return the ids of all events since then."""
        return {event_id for _, args in self.messages for event_id in args}


@pytest.fixture
def events(api: Any) -> list[str]:
    """Return the ids of three events of requests."""
    for _ in range(3):
        start_scenario(api, robots=0).request_delivery()
    return [envelope["eventId"] for envelope in event_runner.pending_events()]


def _runs(owner: Engine) -> list[tuple[str, int]]:
    with owner.connect() as connection:
        found = connection.execute(text("SELECT event_id::text, runs FROM event_runs"))
        return [(row.event_id, row.runs) for row in found]


def _processed(owner: Engine) -> set[str]:
    with owner.connect() as connection:
        return set(connection.scalars(text("SELECT event_id::text FROM processed_events")))


def _fail(*_: Any) -> None:
    raise RuntimeError("handler failed")


def test_events_are_sent_together_but_for_those_whose_run_began(events: list[str]) -> None:
    """A message that waits for its consumer costs no more when it is sent again."""
    broker = Broker()
    sender = relay.Relay(broker)  # type: ignore[arg-type]  # a fake at the port
    sender.relay_batch()
    assert broker.to(subscriptions.NOTIFY) == [events]
    with pytest.raises(RuntimeError, match="handler failed"):
        inbox.consume(subscriptions.NOTIFY, _fail, events[1])
    event_runner.advance_clock(config.outbox().outbox_last_resend)
    sender.relay_batch()
    sent = broker.to(subscriptions.NOTIFY)
    assert sorted(sorted(each) for each in sent) == sorted(
        [[events[1]], sorted([events[0], events[2]])]
    )


def test_events_are_not_sent_again_while_the_queue_of_a_consumer_is_long(
    events: list[str],
) -> None:
    broker = Broker()
    sender = relay.Relay(broker)  # type: ignore[arg-type]  # a fake at the port
    sender.relay_batch()
    broker.to(subscriptions.NOTIFY)
    priority = subscriptions.priority_of(subscriptions.NOTIFY)
    with Connection(transport.url(redis_url())) as connection:
        queue = connection.SimpleQueue(subscriptions.queue_of(subscriptions.NOTIFY))
        for _ in range(relay.LONG_QUEUE + 1):
            queue.put({}, priority=priority)
    for is_long in (True, False):
        sender._next_check = 0.0  # noqa: SLF001 (a second later)
        sender._detect_redis_restart()  # noqa: SLF001 (what its loop does each second)
        event_runner.advance_clock(config.outbox().outbox_last_resend)
        sender.relay_batch()
        assert bool(broker.to(subscriptions.NOTIFY)) is not is_long
        redis.client().flushdb()


def test_new_events_are_sent_before_those_that_wait(
    api: Any, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    sender = relay.Relay(broker)  # type: ignore[arg-type]  # a fake at the port
    sender.relay_batch()
    event_runner.advance_clock(config.outbox().outbox_last_resend)
    start_scenario(api, robots=0).request_delivery()
    monkeypatch.setattr(due_events, "BATCH", 1)
    broker.to(subscriptions.NOTIFY)
    sender.relay_batch()
    ((sent,),) = broker.to(subscriptions.NOTIFY)
    assert sent not in events


@contextmanager
def _relay_of_small_batches(monkeypatch: pytest.MonkeyPatch, *, idle: bool) -> Iterator[Broker]:
    """Run a relay that rests for hours after two events; yield what it sends to."""
    broker, stopping = Broker(), threading.Event()
    for module in (due_events, relay, relay_pauses):
        monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(relay_pauses, "_REST", 1_000_000.0)
    monkeypatch.setattr(relay_pauses, "_LONGEST_REST", 10_000.0)
    monkeypatch.setattr(relay, "_PROMPT_POLL", 0.02)
    monkeypatch.setattr(processor_use.ProcessorUse, "is_mostly_idle", lambda _: idle)
    sender = relay.Relay(broker)  # type: ignore[arg-type]  # a fake at the port
    thread = threading.Thread(target=sender.run, args=(stopping,))
    thread.start()
    try:
        yield broker
    finally:
        stopping.set()
        thread.join()


def test_events_of_robots_do_not_wait_for_a_backlog(
    events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a full batch the relay rests, and sends only events of robots meanwhile."""
    with _relay_of_small_batches(monkeypatch, idle=False) as broker:
        event_runner.wait_until(lambda: len(broker.sent()) == 2)
        robot = uuid4()
        with database.transaction() as session:
            freed = outbox.publish(session, RobotFreed(robot_id=robot, robot_name="LUNA-9"))
        event_runner.wait_until(lambda: str(freed) in broker.sent())
    assert len(broker.sent()) == 3
    assert len(set(events) - broker.sent()) >= 1


@pytest.mark.parametrize(
    ("relayed", "took", "pause"),
    [
        (0, 0.001, (0.02, 0.02)),
        (12, 0.01, (0.25, 0.25)),
        (100, 0.05, (0.25, 1.0)),  # more events come: fewer and larger batches
        (100, 0.2, (0.25, 1.8)),
        (due_events.BATCH, 0.2, (0.0, 1.8)),  # a ninth of the time
        (due_events.BATCH, 7.0, (0.0, 12.0)),  # the batch waited for a lock
    ],
)
def test_relay_pauses_longer_after_a_large_batch(
    relayed: int, took: float, pause: tuple[float, float]
) -> None:
    assert relay_pauses.pause_after(relayed, took) == pytest.approx(pause)


def test_backlog_does_not_wait_while_processors_are_idle(
    events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with _relay_of_small_batches(monkeypatch, idle=True) as broker:
        event_runner.wait_until(lambda: set(events) <= broker.sent())


def test_failing_event_does_not_fail_those_beside_it(events: list[str], owner: Engine) -> None:
    effects: list[str] = []

    def fail_for_one(_session: Any, _event: Any, context: inbox.EventContext) -> None:
        if str(context.event_id) == events[1]:
            raise RuntimeError("handler failed")
        effects.append(str(context.event_id))

    with pytest.raises(RuntimeError, match="handler failed"):
        inbox.consume(subscriptions.NOTIFY, inbox.each(subscriptions.NOTIFY, fail_for_one), *events)
    assert {events[0], events[2]} <= set(effects)
    assert _processed(owner) == {events[0], events[2]}
    assert sorted(_runs(owner)) == sorted((each, 1) for each in events)


def test_consumer_that_runs_once_for_a_message_processes_all_of_it(
    events: list[str], owner: Engine
) -> None:
    calls: list[Any] = []
    inbox.consume(
        subscriptions.DISPATCH, lambda *given: calls.append(given), *events, str(uuid4()), once=True
    )
    assert len(calls) == 1
    assert _processed(owner) == set(events)


def test_notifications_of_events_are_stored_by_one_statement(
    events: list[str], owner: Engine
) -> None:
    executed: list[str] = []

    def note(*call: Any) -> None:
        executed.append(call[2])

    event.listen(database.engine(), "before_cursor_execute", note)
    try:
        inbox.consume(subscriptions.NOTIFY, notification_tasks.notify, *events, events[0])
    finally:
        event.remove(database.engine(), "before_cursor_execute", note)
    assert sum("insert_notifications" in each for each in executed) == 1
    with owner.connect() as connection:
        notified = connection.scalars(text("SELECT event_id::text FROM notifications")).all()
        causes = connection.scalars(
            text("""
                SELECT created.request_id FROM outbox AS created JOIN outbox AS cause
                    ON cause.request_id = created.request_id
                WHERE cause.id = ANY(CAST(:ids AS uuid[]))
                    AND created.event_type = 'notification.created'
            """),
            {"ids": events},
        ).all()
    assert sorted(notified) == sorted(events)
    assert len(set(causes)) == len(events)  # each has the request that caused it
