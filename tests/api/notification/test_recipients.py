"""Recipients and text of the notifications of each event, and that each is created once."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from backend.notification.service import templates
from backend.notification.service.recipients import RULES
from backend.shared import events
from backend.shared.events import Event, TaskEvent
from backend.shared.infra import database
from backend.shared.messaging import celery_app, relay, subscriptions
from backend.shared.models import (
    ImportJob,
    Notification,
    OutboxEvent,
    Role,
    Stage,
    TaskStatus,
    TaskType,
)
from tests.event_runner import run_events
from tests.factories import users
from tests.factories.event_factories import (
    HANDOVER_CODE,
    CreatedRequest,
    create_request,
    publish,
    request_event,
    task_event,
)

_RETURN: dict[str, Any] = {"task_type": TaskType.RETURN_PICKUP}
_LOADING: dict[str, Any] = {"status": TaskStatus.ASSIGNED, "stage": Stage.LOADING}
_HANDOVER: dict[str, Any] = {"stage": Stage.HANDOVER}
_ROBOT: dict[str, Any] = {"robot_id": UUID(int=7), "robot_name": "luna-bot-1"}


def _notifications_of(person: users.SignedInUser) -> list[tuple[str, str]]:
    with database.transaction() as session:
        return [
            (row.notification_type, row.message)
            for row in session.execute(
                select(Notification)
                .where(Notification.user_id == person.id)
                .order_by(Notification.id)
            ).scalars()
        ]


def _return_event(
    kind: type[events.ReturnPickedUp | events.ReturnCompleted], j: CreatedRequest
) -> Event:
    return kind(
        return_id=j.request_id,
        task_id=j.task_id,
        user_id=j.user_id,
        book_id=j.book_id,
        book_title="Dune",
        location="Study Room 201",
        status="PICKED_UP",
    )


_TASKS = [
    (events.TaskAssigned, {}, "student", "is on its way to the desk for “Dune”"),
    (events.TaskAssigned, _RETURN, "student", "is on its way to Main Desk for “Dune”"),
    (events.TaskLoading, _LOADING, "staff", "is at Main Desk. Place “Dune” on it"),
    (events.TaskLoading, _LOADING | _RETURN, "student", "is at Main Desk. Put “Dune” on it"),
    (events.TaskDeparted, {}, "student", "luna-bot-1 is bringing “Dune” to Study Room 201"),
    (events.TaskDeparted, _RETURN, "nobody", ""),
    (events.TaskArrived, _HANDOVER, "student", "at Study Room 201 with “Dune” — your code is in"),
    (events.TaskArrived, _HANDOVER | _RETURN, "staff", "Take it and confirm"),
    (events.TaskArrived, {"stage": Stage.BRINGING_BACK}, "staff", "is back with “Dune”"),
    (events.TaskReminder, _LOADING, "staff", "waits at Main Desk"),
    (events.TaskReminder, _LOADING | _RETURN, "student", "waits at Main Desk"),
    (events.TaskReminder, _HANDOVER, "student", "still waits at Study Room 201"),
    (events.TaskReminder, _HANDOVER | _RETURN, "staff", "waits at Study Room 201"),
    (events.TaskNeedsAttention, {"reason": "ROBOT_SILENT"}, "staff", "robot silent"),
    (events.TaskNeedsAttention, {"reason": "ROBOT_ERROR: stuck"}, "staff", "robot error: stuck"),
    (events.TaskFailed, {"reason": "NOT_LOADED"}, "staff", "has failed: not loaded"),
]


@pytest.mark.parametrize(("kind", "changes", "recipients", "text"), _TASKS)
def test_task_event_notifies_who_has_to_act(
    api: Any, kind: type[TaskEvent], changes: dict[str, Any], recipients: str, text: str
) -> None:
    student, other = users.student(), users.student()
    staff = [users.librarian(), users.admin()]
    publish(task_event(kind, create_request(student), **changes))
    run_events()
    notified = {"student": [student], "staff": staff, "nobody": []}[recipients]
    for person in notified:
        [(notification_type, message)] = _notifications_of(person)
        assert text in message
        assert notification_type == kind.TYPE.upper().replace(".", "_")
    for person in {student, other, *staff} - set(notified):
        assert _notifications_of(person) == []


def test_request_and_return_events_notify_their_student(api: Any) -> None:
    student, librarian = users.student(), users.librarian()
    request = create_request(student)
    created = request_event(request)
    publish(
        created,
        events.RequestCompleted(**created.model_dump()),
        events.RequestCancelled(**created.model_dump(exclude={"reason"}), reason="NO_SHOW"),
        _return_event(events.ReturnPickedUp, request),
        _return_event(events.ReturnCompleted, request),
    )
    run_events()
    assert sorted(kind for kind, _ in _notifications_of(student)) == [
        "DELIVERY_REQUEST_CANCELLED",
        "DELIVERY_REQUEST_COMPLETED",
        "DELIVERY_REQUEST_CREATED",
        "DELIVERY_RETURN_COMPLETED",
        "DELIVERY_RETURN_PICKED_UP",
    ]
    assert _notifications_of(librarian) == []


def test_robot_events_notify_staff(api: Any) -> None:
    student, librarian = users.student(), users.librarian()
    publish(
        events.RobotWentOffline(**_ROBOT),
        events.RobotStopRequested(
            **_ROBOT, robots=[], stop_version=1, reason="smoke", by=librarian.id
        ),
        events.RobotStopUnconfirmed(**_ROBOT, robots=[], stop_version=1),
    )
    run_events()
    assert [kind for kind, _ in _notifications_of(librarian)] == [
        "ROBOT_WENT_OFFLINE",
        "ROBOT_STOP_REQUESTED",
        "ROBOT_STOP_UNCONFIRMED",
    ]
    assert "Reason: smoke." in _notifications_of(librarian)[1][1]
    assert _notifications_of(student) == []


def test_fleet_stop_notifies_each_member_of_staff_once(api: Any) -> None:
    librarian, admin = users.librarian(), users.admin()
    robots = [
        events.OrderedRobot(robot_id=uuid4(), robot_name=f"luna-bot-{number}")
        for number in range(3)
    ]
    publish(
        events.RobotStopRequested(
            robot_id=None,
            robot_name=None,
            robots=robots,
            stop_version=1,
            reason="smoke",
            by=librarian.id,
        )
    )
    run_events()
    for member in (librarian, admin):
        assert _notifications_of(member) == [
            ("ROBOT_STOP_REQUESTED", "All robots were ordered to stop. Reason: smoke.")
        ]


def test_finished_import_notifies_its_owner(api: Any) -> None:
    owner, other = users.librarian(), users.librarian()
    with database.transaction() as session:
        job = ImportJob(created_by=owner.id, format="CSV")
        session.add(job)
        session.flush()
        job_id = job.id
    publish(
        events.ImportFinished(
            job_id=job_id, state="SUCCEEDED", total=10, processed=10, failed=1, warnings=2
        )
    )
    run_events()
    assert _notifications_of(owner) == [
        ("CATALOG_IMPORT_FINISHED", "10 rows read, 1 refused, 2 with a warning.")
    ]
    assert _notifications_of(other) == []


def test_task_without_robot_notifies_student_and_staff(api: Any) -> None:
    student, librarian = users.student(), users.librarian()
    waiting = {"status": TaskStatus.QUEUED, "stage": None, "robot_id": None, "robot_name": None}
    publish(task_event(events.TaskReminder, create_request(student), reason="NO_ROBOT", **waiting))
    run_events()
    assert [message for _, message in _notifications_of(student)] == [
        "No robot is free for “Dune” yet. We keep trying."
    ]
    [(_, message)] = _notifications_of(librarian)
    assert message.startswith("No robot is free for ")


def test_user_in_two_recipient_groups_is_notified_once(api: Any) -> None:
    librarian = users.librarian()
    waiting = {"status": TaskStatus.QUEUED, "stage": None, "robot_id": None, "robot_name": None}
    publish(task_event(events.TaskReminder, create_request(librarian), **waiting))
    run_events()
    assert len(_notifications_of(librarian)) == 1


def test_inactive_account_is_not_notified(api: Any) -> None:
    gone = users.create_user(Role.LIBRARIAN, is_active=False)
    publish(events.RobotWentOffline(**_ROBOT))
    run_events()
    assert _notifications_of(gone) == []


def test_redelivered_event_notifies_once(api: Any) -> None:
    student = users.student()
    [event_id] = publish(request_event(create_request(student)))
    run_events()
    with database.transaction() as session:
        envelope = relay.envelope(session.get_one(OutboxEvent, event_id))
    celery_app.celery.tasks[subscriptions.NOTIFY].run(envelope["eventId"])
    assert len(_notifications_of(student)) == 1


def test_notification_publishes_its_own_event(api: Any) -> None:
    student = users.student()
    publish(request_event(create_request(student)))
    assert run_events() == ["delivery.request.created", "notification.created"]


def test_overtaken_task_event_notifies_nobody(api: Any) -> None:
    student = users.student()
    request = create_request(student)
    [late] = publish(task_event(events.TaskDeparted, request))
    [arrived] = publish(task_event(events.TaskArrived, request, **_HANDOVER))
    with database.transaction() as session:
        envelopes = [relay.envelope(session.get_one(OutboxEvent, each)) for each in (arrived, late)]
    for envelope in envelopes:
        celery_app.celery.tasks[subscriptions.NOTIFY].run(envelope["eventId"])
    assert [kind for kind, _ in _notifications_of(student)] == ["DELIVERY_TASK_ARRIVED"]


def test_no_notification_holds_handover_code(api: Any) -> None:
    student = users.student()
    request = create_request(student)
    publish(request_event(request), task_event(events.TaskArrived, request, **_HANDOVER))
    run_events()
    with database.transaction() as session:
        rows = session.execute(select(OutboxEvent.payload)).scalars().all()
    assert len(rows) == 4
    assert not any(HANDOVER_CODE in str(row) for row in rows)


def test_every_notify_subscription_has_rule() -> None:
    sent = {kind for kind, to in subscriptions.SUBSCRIBERS.items() if subscriptions.NOTIFY in to}
    assert sent == set(RULES)


def test_language_without_texts_falls_back_to_english() -> None:
    values = {"book_title": "Dune"}
    assert templates.render("request.completed", "tlh", values) == (
        "Enjoy your book",
        "“Dune” is on loan to you now.",
    )
