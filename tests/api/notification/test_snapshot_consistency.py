"""No change is lost between a snapshot and the changes after it, also across failures."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis
from sqlalchemy import Engine, create_engine, make_url, text

from backend.shared import events
from backend.shared.messaging import realtime
from tests import event_runner
from tests.api.notification.ws_client import connect, relay_events, wait_until
from tests.conftest import redis_url
from tests.factories import users
from tests.factories.event_factories import create_request, loan_opened, task_event

# of this database: other pytest workers use the same server
_WAITING = (
    "FROM pg_locks JOIN pg_database ON database = pg_database.oid"
    " WHERE NOT granted AND datname = current_database()"
)


def test_changes_during_snapshot_read_follow_it_once(api: Any, owner: Engine) -> None:
    student, librarian = users.student(), users.librarian()
    request = create_request(student)
    back = task_event(events.TaskBringingBack, request)
    relay_events(back)
    with connect(api, student) as client, connect(api, librarian) as other:
        other.subscribe("deliveries")
        with owner.begin() as holding:
            # The reader has fixed its position and then waits for this table.
            holding.execute(text("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE"))
            client.send(action="subscribe", topics=["me"])
            wait_until(lambda: event_runner.is_waiting(owner))
            late = {
                "eventType": back.TYPE,
                "timestamp": "2026-01-15T10:30:00.000Z",
                "payload": back.model_dump(mode="json"),
                "pos": 1,  # published late: the snapshot holds it already
            }
            assert realtime.publish([late])
            relay_events(task_event(events.TaskBringingBack, request, attempt=2))
            assert other.receive()["pos"] == 2  # its snapshot held the late one too
        snapshot, change = client.receive(), client.receive()
        assert (snapshot["type"], snapshot["pos"]) == ("snapshot", 1)
        assert (change["pos"], change["data"]["attempt"]) == (2, 2)
        assert realtime.publish([late])  # and later still
        assert client.is_silent()


def test_snapshot_interrupted_by_database_is_retried(api: Any, owner: Engine) -> None:
    terminate = f"SELECT pg_terminate_backend(pid) {_WAITING}"
    superuser = create_engine(
        make_url(os.environ["LUNA_TEST_DATABASE_URL"]).set(database=owner.url.database)
    )
    with connect(api, users.student()) as client:
        with owner.begin() as holding:
            holding.execute(text("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE"))
            client.send(action="subscribe", topics=["me"])
            wait_until(lambda: event_runner.is_waiting(owner))
            with superuser.connect() as connection:
                assert connection.execute(text(terminate)).scalars().all() == [True]
        assert client.receive()["type"] == "snapshot"
    superuser.dispose()


def test_no_change_is_lost_between_snapshot_and_changes_under_load(api: Any) -> None:
    student = users.student()
    total = 60

    def publish_all() -> None:
        for number in range(total):
            relay_events(loan_opened(student.id, f"Volume {number}"))

    publisher = threading.Thread(target=publish_all)
    with connect(api, student) as client:
        publisher.start()
        last = 0
        while last < total:
            client.send(action="subscribe", topics=["me"])
            message = client.receive()
            while message["type"] != "snapshot":  # a change of the earlier subscription
                message = client.receive()
            last = message["pos"]
            for _ in range(min(3, total - last)):
                change = client.receive()
                assert change["pos"] == last + 1
                last = change["pos"]
            client.send(action="unsubscribe", topics=["me"])
        publisher.join()
    assert last == total


def test_redis_reconnect_sends_resync_and_new_snapshot(api: Any) -> None:
    student = users.student()
    with connect(api, student) as client:
        client.subscribe("me")
        _kill_subscriptions()
        assert client.receive()["type"] == "resync"
        assert client.receive()["type"] == "snapshot"
        relay_events(loan_opened(student.id))
        assert client.receive()["event"] == "circulation.loan.opened"


def test_client_learns_of_an_outage_of_redis_before_it_ends(api: Any) -> None:
    with connect(api, users.student()) as client:
        client.subscribe("me")
        with _redis_refusing():
            assert (announced := client.receive())["type"] == "resync"
            assert announced["topic"] == "me"
            client.send(action="subscribe", topics=["catalog"])
            assert [client.receive()["type"] for _ in range(2)] == ["snapshot", "resync"]
        assert {client.receive()["topic"] for _ in range(2)} == {"me", "catalog"}
        assert client.is_silent()


@contextmanager
def _redis_refusing() -> Iterator[None]:
    """Close the subscribed connections of this test's Redis and let none sign in again."""
    with _admin() as admin:
        admin.execute_command("ACL", "SETUSER", "luna", "off")
        try:
            _kill_subscriptions()
            yield
        finally:
            admin.execute_command("ACL", "SETUSER", "luna", "on")


def _kill_subscriptions() -> None:
    """Close the subscribed connections of this test's Redis."""
    with _admin() as client:
        for connection in client.client_list(_type="pubsub"):
            client.client_kill_filter(_id=connection["id"])


def _admin() -> Redis:
    return Redis.from_url(redis_url().replace("//luna:", "//admin:"))
