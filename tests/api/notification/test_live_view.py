"""Topics, snapshots and changes of the live view."""

import json
from typing import Any
from uuid import uuid4

import pytest

from backend.notification.live import snapshots
from backend.shared import events
from backend.shared.infra import commit_hooks, database, redis
from backend.shared.messaging import channels, realtime, relay
from backend.shared.models import ImportJob, OutboxEvent, Stage
from tests.api.notification.ws_client import connect, relay_events
from tests.event_runner import run_events
from tests.factories import users
from tests.factories.event_factories import (
    HANDOVER_CODE,
    create_request,
    loan_opened,
    publish,
    request_event,
    task_event,
)

STAFF_TOPICS = ["deliveries", "robots", "alerts"]
ABSENT = "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44"  # fixed: all pytest workers collect the same names


def test_me_snapshot_holds_own_open_items(api: Any) -> None:
    student, other = users.student(), users.student()
    request = create_request(student)
    create_request(other)
    publish(request_event(request))
    run_events()
    with connect(api, student) as client:
        snapshot = client.subscribe("me")
    assert (snapshot["v"], snapshot["type"], snapshot["topic"]) == (1, "snapshot", "me")
    assert [row["id"] for row in snapshot["data"]["requests"]] == [str(request.request_id)]
    assert snapshot["data"]["unread"] == 1
    assert snapshot["data"]["notifications"][0]["title"] == "Request received"
    assert snapshot["data"]["returns"] == snapshot["data"]["loans"] == []


def test_change_follows_snapshot_with_event_payload(api: Any) -> None:
    student = users.student()
    with connect(api, student) as client:
        pos = client.subscribe("me")["pos"]
        opened = loan_opened(student.id)
        relay_events(loan_opened(users.student().id), opened)
        change = client.receive()
    assert (change["type"], change["event"]) == ("event", "circulation.loan.opened")
    assert change["data"]["loan_id"] == str(opened.loan_id)
    assert change["pos"] == pos + 2
    assert change["at"].endswith("Z")


def test_new_notification_arrives_on_me_topic(api: Any) -> None:
    student = users.student()
    with connect(api, student) as client:
        client.subscribe("me")
        publish(request_event(create_request(student)))
        run_events()
        _relay_all()
        changes = [client.receive() for _ in range(2)]
    assert [each["event"] for each in changes] == [
        "delivery.request.created",
        "notification.created",
    ]
    assert changes[1]["data"]["title"] == "Request received"


def _relay_all() -> None:
    """Publish the events that run_events has processed, as the relay does."""
    with database.transaction() as session:
        rows = session.query(OutboxEvent).order_by(OutboxEvent.id).all()
        envelopes = [relay.envelope(row) | {"pos": pos} for pos, row in enumerate(rows, start=1)]
    assert realtime.publish(envelopes)


def test_own_request_topic_holds_no_handover_code(api: Any) -> None:
    student = users.student()
    request = create_request(student)
    topic = f"request:{request.request_id}"
    with connect(api, student) as client:
        snapshot = client.subscribe(topic)
        assert snapshot["data"]["task"]["reference"] == request.reference
        assert HANDOVER_CODE not in str(snapshot)
        relay_events(task_event(events.TaskBringingBack, request, stage=Stage.BRINGING_BACK))
        assert client.receive()["event"] == "delivery.task.bringing_back"


@pytest.mark.parametrize("topic", [*STAFF_TOPICS, f"robot:{ABSENT}", f"imports:{ABSENT}"])
def test_student_cannot_subscribe_to_staff_topic(api: Any, topic: str) -> None:
    with connect(api, users.student()) as client:
        answer = client.subscribe(topic)
        assert (answer["type"], answer["topic"]) == ("error", topic)
        assert answer["data"]["code"] == "ROLE_NOT_ALLOWED"
        relay_events(task_event(events.TaskBringingBack, create_request(users.student())))
        assert client.is_silent()


def test_request_topic_of_another_student_is_not_found(api: Any) -> None:
    owner, stranger, librarian = users.student(), users.student(), users.librarian()
    request = create_request(owner)
    topic = f"request:{request.request_id}"
    with connect(api, stranger) as client:
        existing, unknown = client.subscribe(topic), client.subscribe(f"request:{uuid4()}")
        assert existing["data"] == unknown["data"]
        assert existing["data"]["code"] == "NOT_FOUND"
        relay_events(task_event(events.TaskBringingBack, request))
        assert client.is_silent()
    with connect(api, librarian) as client:
        assert client.subscribe(topic)["type"] == "snapshot"


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
def test_unknown_topic_answers_one_error(api: Any, topic: str) -> None:
    with connect(api, users.admin()) as client:
        answer = client.subscribe(topic)
        assert (answer["type"], answer["data"]["code"]) == ("error", "NOT_FOUND")
        assert client.is_silent()


def test_staff_can_subscribe_to_every_topic(api: Any) -> None:
    request = create_request(users.student())
    with database.transaction() as session:
        job = ImportJob(format="CSV")
        session.add(job)
        session.flush()
        imports = f"imports:{job.id}"
    with connect(api, users.librarian()) as client:
        deliveries = client.subscribe("deliveries")["data"]["tasks"]
        assert [task["reference"] for task in deliveries] == [request.reference]
        robots = client.subscribe("robots")["data"]["robots"]
        assert [robot["id"] for robot in robots] == [str(request.robot_id)]
        assert client.subscribe(f"robot:{request.robot_id}")["data"]["task"] is None
        empty = {"alerts": [], "tasks": [], "robots": [], "truncated": False}
        assert client.subscribe("alerts")["data"] == empty
        assert client.subscribe("catalog")["data"]["books"] == 1
        assert client.subscribe(imports)["data"]["state"] == "QUEUED"
        stopped = events.RobotStopConfirmed(
            robot_id=request.robot_id, robot_name="luna-bot-1", stop_version=1
        )
        relay_events(stopped)
        topics = {client.receive()["topic"] for _ in range(3)}
        assert topics == {"robots", f"robot:{request.robot_id}", "alerts"}


def test_unsubscribed_topic_sends_no_changes(api: Any) -> None:
    student = users.student()
    with connect(api, student) as client:
        client.subscribe("me")
        client.send(action="unsubscribe", topics=["me", "never-subscribed"])
        assert client.is_silent()
        relay_events(loan_opened(student.id))
        assert client.is_silent()


@pytest.mark.parametrize(
    "message",
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
def test_invalid_message_answers_error_and_keeps_socket_open(
    api: Any, message: str | bytes
) -> None:
    with connect(api, users.student()) as client:
        client.send_raw(message)
        answer = client.receive()
        assert (answer["type"], answer["data"]["code"]) == ("error", "VALIDATION_ERROR")
        assert client.is_silent()


def test_socket_subscribes_to_at_most_hundred_topics(api: Any) -> None:
    with connect(api, users.librarian()) as client:
        student = users.student()
        requests = [create_request(student) for _ in range(34)]
        names = [f"request:{j.request_id}" for j in requests]
        names += [f"robot:{j.robot_id}" for j in requests]
        with database.transaction() as session:
            jobs = [ImportJob(format="CSV") for _ in range(32)]
            session.add_all(jobs)
            session.flush()
            names += [f"imports:{job.id}" for job in jobs]
        assert len(names) == 100
        assert client.subscribe(*names)["type"] == "snapshot"
        one_more = client.subscribe("deliveries")
        assert (one_more["type"], one_more["data"]["code"]) == ("error", "VALIDATION_ERROR")


def test_only_latest_position_of_robot_is_sent(api: Any) -> None:
    robot, other = {"id": str(uuid4())}, {"id": str(uuid4())}
    shown = [other | {"x": -1.0}, *(robot | {"x": float(x)} for x in range(500))]
    with connect(api, users.librarian()) as client:
        client.subscribe("robots")
        commit_hooks.send(
            [realtime.position_update(["robots"], json.dumps(each)) for each in shown]
        )
        received = [client.receive()]
        assert received[0]["data"] == other | {"x": -1.0}
        while received[-1]["data"]["x"] != 499.0:
            received.append(client.receive())
        assert received[-1]["pos"] is None
        assert received[-1]["event"] == "robot.position"
        assert client.is_silent()


def test_invalid_redis_message_is_ignored(api: Any) -> None:
    student = users.student()
    with connect(api, student) as client:
        client.subscribe("me")
        for body in (b"", b"{}", b"[1]", b'{"topics": ["robots"], "event": {}}'):
            redis.client().publish(channels.LIVE, body)
        relay_events(loan_opened(student.id))
        assert client.receive()["event"] == "circulation.loan.opened"


def test_snapshot_says_when_a_list_is_cut(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "_MAX_ROWS", 1)
    librarian = users.librarian()
    create_request(users.student())
    with connect(api, librarian) as client:
        whole = client.subscribe("deliveries")["data"]
        assert (len(whole["tasks"]), whole["truncated"]) == (1, False)
        create_request(users.student())
        cut = client.subscribe("deliveries")["data"]
        assert (len(cut["tasks"]), cut["truncated"]) == (1, True)
