"""Every event takes effect exactly once: the real outbox, relay and inbox.

Only the broker is a fake: it keeps what it receives, loses it, or is unavailable.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.shared.infra import database, redis
from backend.shared.messaging import celery_app, inbox, outbox, relay, scheduler, subscriptions
from tests import event_runner
from tests.factories import event_factories
from tests.scenario import Scenario, start_scenario


class Broker:
    """Receives events as Celery would."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.is_down = False

    def send_task(self, name: str, args: list[Any], queue: str, **_: Any) -> None:
        if self.is_down:
            raise OSError("no broker")
        assert queue == name.partition(".")[0]
        self.sent += [(name, event_id) for event_id in args]

    def consumers(self) -> list[str]:
        """Return the consumers that were sent an event since the last call."""
        names = [name for name, _ in self.sent]
        self.sent.clear()
        return sorted(names)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def sender(broker: Broker) -> relay.Relay:
    return relay.Relay(broker)  # type: ignore[arg-type]  # a fake at the port


@pytest.fixture
def scenario(api: Any) -> Scenario:
    """A request was created: one event is pending, for the dispatcher and for notifications."""
    scenario = start_scenario(api, robots=0)
    scenario.request_delivery()
    return scenario


BOTH = sorted([subscriptions.DISPATCH, subscriptions.NOTIFY])


def _acked(owner: Engine) -> bool:
    statement = "SELECT acked_at IS NOT NULL FROM outbox WHERE event_type LIKE '%request.created'"
    with owner.connect() as connection:
        return bool(connection.scalar(text(statement)))


def _process(envelope: dict[str, Any], name: str) -> None:
    celery_app.celery.tasks[name].run(envelope["eventId"])


def test_event_is_finished_when_every_consumer_has_processed_it(
    scenario: Scenario, owner: Engine, broker: Broker, sender: relay.Relay
) -> None:
    (envelope,) = event_runner.pending_events()
    event_runner.load_handlers()
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


def test_lost_event_is_sent_again_after_5_10_and_15_seconds(
    scenario: Scenario, broker: Broker, sender: relay.Relay
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


def test_event_delivered_twice_takes_effect_once(scenario: Scenario, owner: Engine) -> None:
    (envelope,) = event_runner.pending_events()
    for _ in range(3):
        event_runner.redeliver(envelope)
    history = scenario.task["history"]
    assert [step["to_status"] for step in history] == ["PENDING", "QUEUED"]
    with owner.connect() as connection:
        notifications = connection.scalar(text("SELECT count(*) FROM notifications"))
    assert notifications == 1


def test_event_in_two_workers_at_once_takes_effect_once(scenario: Scenario, owner: Engine) -> None:
    """The second waits for the inbox row of the first and finds the event processed."""
    (envelope,) = event_runner.pending_events()
    effects: list[Any] = []
    began, may_end = Event(), Event()

    def effect(_session: Any, received: Any) -> None:
        effects.extend(received)
        began.set()
        assert may_end.wait(60)

    with ThreadPoolExecutor(2) as workers:
        first = workers.submit(inbox.consume, subscriptions.NOTIFY, effect, envelope["eventId"])
        assert began.wait(60)
        second = workers.submit(inbox.consume, subscriptions.NOTIFY, effect, envelope["eventId"])
        event_runner.wait_until(lambda: event_runner.is_waiting(owner))
        may_end.set()
        first.result()
        second.result()
    assert len(effects) == 1


def test_unavailable_broker_loses_no_event(
    scenario: Scenario, broker: Broker, sender: relay.Relay, owner: Engine
) -> None:
    broker.is_down = True
    sender.relay_batch()
    assert not _acked(owner)
    broker.is_down = False
    event_runner.advance_clock(timedelta(seconds=1.1))
    sender.relay_batch()
    assert broker.consumers() == BOTH


def test_emptied_redis_is_sent_every_unfinished_event_at_once(
    scenario: Scenario, broker: Broker, sender: relay.Relay
) -> None:
    sender._detect_redis_restart()  # noqa: SLF001 (what its loop does each second)
    sender.relay_batch()
    broker.sent.clear()
    redis.client().flushall()
    sender._next_check = 0.0  # noqa: SLF001 (a second later)
    sender._detect_redis_restart()  # noqa: SLF001 (what its loop does each second)
    sender.relay_batch()
    assert broker.consumers() == BOTH


def test_two_concurrent_relays_send_each_event_once(scenario: Scenario, broker: Broker) -> None:
    for number in range(20):
        scenario.as_librarian("priority", priority=("HIGH", "LOW")[number % 2])
    event_runner.run_events()
    scenario.as_librarian("priority", priority="URGENT")
    for number in range(20):
        scenario.as_librarian("priority", priority=("HIGH", "LOW")[number % 2])
    waiting = len(event_runner.pending_events())
    relays = [relay.Relay(broker) for _ in range(2)]  # type: ignore[arg-type]  # a fake
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.relay_batch(), relays))
    assert set(Counter(broker.sent).values()) == {1}  # once to each consumer
    assert len({event_id for _, event_id in broker.sent}) == waiting == 21


def _fail(*_: Any) -> None:
    raise RuntimeError("handler failed")


def test_event_becomes_a_dead_letter_after_ten_failures(
    scenario: Scenario, broker: Broker, sender: relay.Relay, owner: Engine
) -> None:
    (envelope,) = event_runner.pending_events()
    for _ in range(10):
        with pytest.raises(RuntimeError, match="handler failed"):
            inbox.consume(subscriptions.NOTIFY, _fail, envelope["eventId"])
    assert _dead(owner) is None
    inbox.consume(subscriptions.NOTIFY, _fail, envelope["eventId"])  # does not run again
    assert subscriptions.NOTIFY in _dead(owner)
    event_runner.advance_clock(timedelta(minutes=1))
    sender.relay_batch()
    sent = {event_id for _, event_id in broker.sent}
    assert envelope["eventId"] not in sent
    assert len(sent) == 1  # the alert for staff


def test_repeated_sending_does_not_count_as_failure(
    scenario: Scenario, broker: Broker, sender: relay.Relay, owner: Engine
) -> None:
    for _ in range(30):
        sender.relay_batch()
        event_runner.advance_clock(timedelta(seconds=16))
    assert len(broker.sent) == 60
    assert _dead(owner) is None
    event_runner.run_events()
    assert scenario.state == "QUEUED"


def test_failed_handler_leaves_no_rows_and_can_succeed_later(
    scenario: Scenario, owner: Engine
) -> None:
    (envelope,) = event_runner.pending_events()
    with pytest.raises(RuntimeError, match="handler failed"):
        inbox.consume(subscriptions.DISPATCH, _fail, envelope["eventId"])
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM processed_events")) == 0
    event_runner.run_events()
    assert scenario.state == "QUEUED"


def _dead(owner: Engine) -> Any:
    with owner.connect() as connection:
        return connection.scalar(text("SELECT last_error FROM outbox WHERE dead_at IS NOT NULL"))


def test_event_is_pending_after_its_commit_and_not_before(
    scenario: Scenario, broker: Broker, sender: relay.Relay
) -> None:
    before = len(event_runner.pending_events())
    with database.transaction() as session:
        outbox.publish(session, event_factories.loan_opened(scenario.student.id))
        sender.relay_batch()
        assert broker.consumers() == BOTH  # of the request alone
        assert len(event_runner.pending_events()) == before
    assert len(event_runner.pending_events()) == before + 1


def test_event_of_a_change_that_was_rolled_back_is_never_published(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service fails after it has written the change and the event."""
    before = event_runner.pending_events()
    publish = outbox.publish

    def publish_and_fail(session: Session, event: Any) -> None:
        publish(session, event)
        raise RuntimeError("failure after the event was written")

    monkeypatch.setattr(outbox, "publish", publish_and_fail)
    scenario.as_student("cancel", 500)
    assert event_runner.pending_events() == before
    assert scenario.current_request["status"] == "PENDING"


def test_periodic_job_runs_in_one_scheduler_at_a_time(scenario: Scenario, owner: Engine) -> None:
    event_runner.run_periodic("delivery.deadlines")
    job = next(job for job in scheduler.PERIODIC_JOBS if job.name == "delivery.deadlines")
    with owner.begin() as elsewhere:
        elsewhere.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"job:{job.name}"}
        )
        assert scheduler.run_periodic(job) is False
    assert scheduler.run_periodic(job) is True


def test_scheduler_runs_what_has_work(scenario: Scenario) -> None:
    event_runner.load_handlers()
    jobs = [
        scheduler.PeriodicJob(name, timedelta(), lambda _: None, when)
        for name, when in (("idle", "1 > 2"), ("always", "true"), ("busy", "1 < 2"))
    ]
    assert [job.name for job in scheduler.with_work(jobs)] == ["always", "busy"]
    assert scheduler.with_work([]) == []
    names = {job.name for job in scheduler.with_work(scheduler.PERIODIC_JOBS)}
    assert {"delivery.deadlines", "robot.dispatch_sweep"} <= names, "a task waits"
    assert "robot.leases" not in names, "there is no command"


def test_relay_sends_only_ids_to_the_broker(
    scenario: Scenario, broker: Broker, sender: relay.Relay
) -> None:
    (envelope,) = event_runner.pending_events()
    sender.relay_batch()
    assert {body for _, body in broker.sent} == {envelope["eventId"]}
