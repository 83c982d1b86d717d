"""What a client of the live view is shown: topics, snapshots, changes, and nothing in between."""

from typing import Any
from uuid import uuid4

import pytest

from backend.shared import events
from backend.shared.infra import commit_hooks, database, redis
from backend.shared.messaging import channels, realtime, relay
from backend.shared.models import ImportJob, OutboxEvent, Stage
from tests.api.notification.ws_client import show, watching
from tests.event_runner import run_events
from tests.factories import users
from tests.factories.event_factories import (
    HANDOVER_CODE,
    loan_opened,
    publish,
    request_event,
    request_of,
    task_event,
)

STAFF_TOPICS = ["deliveries", "robots", "alerts"]
ABSENT = "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44"  # fixed: all pytest workers collect the same names


def test_my_topic_shows_what_is_mine_and_open(api: Any) -> None:
    student, other = users.student(), users.student()
    journey = request_of(student)
    request_of(other)
    publish(request_event(journey))
    run_events()
    with watching(api, student) as watcher:
        shown = watcher.subscribe("me")
    assert (shown["v"], shown["type"], shown["topic"]) == (1, "snapshot", "me")
    assert [row["id"] for row in shown["data"]["requests"]] == [str(journey.request_id)]
    assert shown["data"]["unread"] == 1
    assert shown["data"]["notifications"][0]["title"] == "Request received"
    assert shown["data"]["returns"] == shown["data"]["loans"] == []


def test_a_change_follows_its_snapshot_with_the_events_words(api: Any) -> None:
    student = users.student()
    with watching(api, student) as watcher:
        pos = watcher.subscribe("me")["pos"]
        opened = loan_opened(student.id)
        show(loan_opened(users.student().id), opened)
        change = watcher.next()
    assert (change["type"], change["event"]) == ("event", "circulation.loan.opened")
    assert change["data"]["loan_id"] == str(opened.loan_id)
    assert change["pos"] == pos + 2
    assert change["at"].endswith("Z")


def test_notifications_arrive_as_they_are_made(api: Any) -> None:
    student = users.student()
    with watching(api, student) as watcher:
        watcher.subscribe("me")
        publish(request_event(request_of(student)))
        run_events()
        _show_all()
        told = [watcher.next() for _ in range(2)]
    assert [each["event"] for each in told] == ["delivery.request.created", "notification.created"]
    assert told[1]["data"]["title"] == "Request received"


def _show_all() -> None:
    """Show what the test chain has carried already, as the relay would have."""
    with database.transaction() as session:
        rows = session.query(OutboxEvent).order_by(OutboxEvent.id).all()
        shown = [relay.envelope(row) | {"pos": place} for place, row in enumerate(rows, start=1)]
    assert realtime.publish(shown)


def test_ones_own_request_can_be_watched_and_holds_no_code(api: Any) -> None:
    student = users.student()
    journey = request_of(student)
    topic = f"request:{journey.request_id}"
    with watching(api, student) as watcher:
        shown = watcher.subscribe(topic)
        assert shown["data"]["task"]["reference"] == journey.reference
        assert HANDOVER_CODE not in str(shown)
        show(task_event(events.TaskBringingBack, journey, stage=Stage.BRINGING_BACK))
        assert watcher.next()["event"] == "delivery.task.bringing_back"


@pytest.mark.parametrize("topic", [*STAFF_TOPICS, f"robot:{ABSENT}", f"imports:{ABSENT}"])
def test_a_student_may_not_watch_what_is_the_staffs(api: Any, topic: str) -> None:
    with watching(api, users.student()) as watcher:
        answer = watcher.subscribe(topic)
        assert (answer["type"], answer["topic"]) == ("error", topic)
        assert answer["data"]["code"] == "ROLE_NOT_ALLOWED"
        show(task_event(events.TaskBringingBack, request_of(users.student())))
        assert watcher.silence()


def test_anothers_request_looks_as_if_it_did_not_exist(api: Any) -> None:
    owner, stranger, librarian = users.student(), users.student(), users.librarian()
    journey = request_of(owner)
    topic = f"request:{journey.request_id}"
    with watching(api, stranger) as watcher:
        theirs, nobodys = watcher.subscribe(topic), watcher.subscribe(f"request:{uuid4()}")
        assert theirs["data"] == nobodys["data"]
        assert theirs["data"]["code"] == "NOT_FOUND"
        show(task_event(events.TaskBringingBack, journey))
        assert watcher.silence()
    with watching(api, librarian) as watcher:
        assert watcher.subscribe(topic)["type"] == "snapshot"


@pytest.mark.parametrize(
    "topic",
    [
        "nothing",
        "",
        "me:1",
        "request",
        "request:",
        "request:1",
        f"user:{ABSENT}",
        f"REQUEST:{ABSENT}",
        f"request:{ABSENT.upper()}",
        f"return:{ABSENT}",
    ],
)
def test_an_unknown_topic_is_an_error_and_nothing_else(api: Any, topic: str) -> None:
    with watching(api, users.admin()) as watcher:
        answer = watcher.subscribe(topic)
        assert (answer["type"], answer["data"]["code"]) == ("error", "NOT_FOUND")
        assert watcher.silence()


def test_staff_see_everything_there_is(api: Any) -> None:
    journey = request_of(users.student())
    with database.transaction() as session:
        job = ImportJob(format="CSV")
        session.add(job)
        session.flush()
        imports = f"imports:{job.id}"
    with watching(api, users.librarian()) as watcher:
        deliveries = watcher.subscribe("deliveries")["data"]["tasks"]
        assert [task["reference"] for task in deliveries] == [journey.reference]
        robots = watcher.subscribe("robots")["data"]["robots"]
        assert [robot["id"] for robot in robots] == [str(journey.robot_id)]
        assert watcher.subscribe(f"robot:{journey.robot_id}")["data"]["task"] is None
        assert watcher.subscribe("alerts")["data"] == {"tasks": [], "robots": []}
        assert watcher.subscribe("catalog")["data"]["books"] == 1
        assert watcher.subscribe(imports)["data"]["state"] == "QUEUED"
        stopped = events.RobotStopConfirmed(
            robot_id=journey.robot_id, robot_name="luna-bot-1", stop_version=1
        )
        show(stopped)
        topics = {watcher.next()["topic"] for _ in range(3)}
        assert topics == {"robots", f"robot:{journey.robot_id}", "alerts"}


def test_what_is_unsubscribed_is_shown_no_more(api: Any) -> None:
    student = users.student()
    with watching(api, student) as watcher:
        watcher.subscribe("me")
        watcher.say(action="unsubscribe", topics=["me", "never-asked-for"])
        assert watcher.silence()
        show(loan_opened(student.id))
        assert watcher.silence()


def test_since_is_answered_with_a_snapshot(api: Any) -> None:
    with watching(api, users.student()) as watcher:
        watcher.say(action="subscribe", topics=["me"], since={"me": 1234})
        assert watcher.next()["type"] == "snapshot"


@pytest.mark.parametrize(
    "said",
    [
        "not json",
        "[]",
        "null",
        '{"action": "subscribe"}',
        '{"action": "subscribe", "topics": "me"}',
        '{"action": "subscribe", "topics": [1]}',
        '{"action": "subscribe", "topics": []}',
        '{"action": "subscribe", "topics": ["me"], "more": 1}',
        '{"action": "subscribe", "topics": ["me"], "since": {"me": "x"}}',
        '{"action": "explode"}',
        '{"action": "ping", "topic": "\\ud800"}',
        "[" * 10_000,
        '{"action": "subscribe", "topics": ["' + "x" * 17_000 + '"]}',
        '{"action": "subscribe", "topics": ' + str(["me"] * 101).replace("'", '"') + "}",
        b"\x00\xff",
    ],
)
def test_what_makes_no_sense_is_answered_and_the_socket_lives_on(
    api: Any, said: str | bytes
) -> None:
    with watching(api, users.student()) as watcher:
        watcher.say_raw(said)
        answer = watcher.next()
        assert (answer["type"], answer["data"]["code"]) == ("error", "VALIDATION_ERROR")
        assert watcher.silence()


def test_a_socket_watches_a_hundred_topics_at_most(api: Any) -> None:
    with watching(api, users.librarian()) as watcher:
        student = users.student()
        journeys = [request_of(student) for _ in range(34)]
        names = [f"request:{j.request_id}" for j in journeys]
        names += [f"robot:{j.robot_id}" for j in journeys]
        with database.transaction() as session:
            jobs = [ImportJob(format="CSV") for _ in range(32)]
            session.add_all(jobs)
            session.flush()
            names += [f"imports:{job.id}" for job in jobs]
        assert len(names) == 100
        assert watcher.subscribe(*names)["type"] == "snapshot"
        one_more = watcher.subscribe("deliveries")
        assert (one_more["type"], one_more["data"]["code"]) == ("error", "VALIDATION_ERROR")


def test_only_the_latest_position_of_a_robot_counts(api: Any) -> None:
    robot, other = {"id": str(uuid4())}, {"id": str(uuid4())}
    with watching(api, users.librarian()) as watcher:
        watcher.subscribe("robots")
        where = [realtime.position_update(["robots"], robot | {"x": float(x)}) for x in range(500)]
        commit_hooks.send([realtime.position_update(["robots"], other | {"x": -1.0}), *where])
        seen = [watcher.next()]
        assert seen[0]["data"] == other | {"x": -1.0}
        while seen[-1]["data"]["x"] != 499.0:
            seen.append(watcher.next())
        assert seen[-1]["pos"] is None
        assert seen[-1]["event"] == "robot.position"
        assert watcher.silence()


def test_a_message_that_is_not_understood_disturbs_nobody(api: Any) -> None:
    student = users.student()
    with watching(api, student) as watcher:
        watcher.subscribe("me")
        for nonsense in (b"", b"{}", b"[1]", b'{"topics": ["robots"], "event": {}}'):
            redis.client().publish(channels.LIVE, nonsense)
        show(loan_opened(student.id))
        assert watcher.next()["event"] == "circulation.loan.opened"
