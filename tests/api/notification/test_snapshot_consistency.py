"""Nothing falls between a snapshot and the changes after it, whatever breaks meanwhile."""

import os
import threading
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text

from backend.shared import events
from backend.shared.infra import redis
from backend.shared.messaging import realtime
from tests.api.notification.ws_client import show, wait_until, watching
from tests.factories import users
from tests.factories.event_factories import loan_opened, request_of, task_event

# of this database: other pytest workers use the same server
_WAITING = (
    "FROM pg_locks JOIN pg_database ON database = pg_database.oid"
    " WHERE NOT granted AND datname = current_database()"
)


def _waits_for_a_lock(owner: Engine) -> bool:
    with owner.connect() as connection:
        return bool(connection.execute(text(f"SELECT count(*) {_WAITING}")).scalar_one())


def test_what_happens_while_the_snapshot_is_read_follows_it_and_nothing_comes_twice(
    api: Any, owner: Engine
) -> None:
    student, librarian = users.student(), users.librarian()
    journey = request_of(student)
    back = task_event(events.TaskBringingBack, journey)
    show(back)
    with watching(api, student) as watcher, watching(api, librarian) as other:
        other.subscribe("deliveries")
        with owner.begin() as holding:
            # The reader has fixed its moment and then waits for this table.
            holding.execute(text("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE"))
            watcher.say(action="subscribe", topics=["me"])
            wait_until(lambda: _waits_for_a_lock(owner))
            late = {
                "eventType": back.TYPE,
                "timestamp": "2026-01-15T10:30:00.000Z",
                "payload": back.model_dump(mode="json"),
                "pos": 1,  # shown late: the snapshot holds it already
            }
            assert realtime.publish([late])
            show(task_event(events.TaskBringingBack, journey, attempt=2))
            heard = [other.next()["pos"] for _ in range(2)]
        assert heard == [1, 2]
        snapshot, change = watcher.next(), watcher.next()
        assert (snapshot["type"], snapshot["pos"]) == ("snapshot", 1)
        assert (change["pos"], change["data"]["attempt"]) == (2, 2)
        assert watcher.silence()


def test_a_snapshot_that_the_database_broke_off_is_read_again(api: Any, owner: Engine) -> None:
    waiting = f"SELECT pg_terminate_backend(pid) {_WAITING}"
    superuser = create_engine(
        make_url(os.environ["LUNA_TEST_DATABASE_URL"]).set(database=owner.url.database)
    )
    with watching(api, users.student()) as watcher:
        with owner.begin() as holding:
            holding.execute(text("LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE"))
            watcher.say(action="subscribe", topics=["me"])
            wait_until(lambda: _waits_for_a_lock(owner))
            with superuser.connect() as connection:
                assert connection.execute(text(waiting)).scalars().all() == [True]
        assert watcher.next()["type"] == "snapshot"
    superuser.dispose()


def test_nothing_falls_between_snapshot_and_changes_under_load(api: Any) -> None:
    student = users.student()
    done = 60

    def happen() -> None:
        for number in range(done):
            show(loan_opened(student.id, f"Volume {number}"))

    happening = threading.Thread(target=happen)
    with watching(api, student) as watcher:
        happening.start()
        last = 0
        while last < done:
            watcher.say(action="subscribe", topics=["me"])
            said = watcher.next()
            while said["type"] != "snapshot":  # a change of the subscription before
                said = watcher.next()
            last = said["pos"]
            for _ in range(min(3, done - last)):
                change = watcher.next()
                assert change["pos"] == last + 1
                last = change["pos"]
            watcher.say(action="unsubscribe", topics=["me"])
        happening.join()
    assert last == done


def test_after_a_break_of_redis_each_topic_is_told_anew(api: Any) -> None:
    student = users.student()
    with watching(api, student) as watcher:
        watcher.subscribe("me")
        _break_the_subscription()
        assert watcher.next()["type"] == "resync"
        assert watcher.next()["type"] == "snapshot"
        show(loan_opened(student.id))
        assert watcher.next()["event"] == "circulation.loan.opened"


def _break_the_subscription() -> None:
    """Cut the connections that listen on this test's database of Redis."""
    client = redis.client()
    ours = client.connection_pool.connection_kwargs.get("db", 0)
    for connection in client.client_list(_type="pubsub"):
        if int(connection["db"]) == ours:
            client.client_kill_filter(_id=connection["id"])
