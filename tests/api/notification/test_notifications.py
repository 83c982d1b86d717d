"""The caller's own notifications: list, get, mark as read, delete, count."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from backend.shared import events
from backend.shared.infra import clock, database
from backend.shared.models import Notification, OutboxEvent, ProcessHeartbeat
from tests.event_runner import advance_clock, run_events, run_periodic
from tests.factories import users
from tests.factories.event_factories import create_request, publish, request_event

PATH = "/api/v1/notifications"


def _notify(
    person: users.SignedInUser, times: int = 1, kind: str = "DELIVERY_TASK_ARRIVED"
) -> list[str]:
    """Create notifications and return their ids, newest first."""
    ids = []
    with database.transaction() as session:
        for number in range(times):
            row = Notification(
                user_id=person.id,
                event_id=uuid4(),
                notification_type=kind,
                title=f"Number {number}",
                message="The robot is here.",
                created_at=clock.now() + timedelta(milliseconds=number),
            )
            session.add(row)
            session.flush()
            ids.append(str(row.id))
    return ids[::-1]


def test_list_holds_own_notifications_newest_first(api: Any) -> None:
    student, librarian = users.student(), users.librarian()
    mine = _notify(student, 3)
    _notify(librarian)
    answer = api.get(PATH, headers=student.headers).json()
    assert [row["id"] for row in answer["data"]] == mine
    pagination = {"page": 1, "limit": 20, "total": 3, "total_pages": 1, "next_cursor": None}
    assert answer["pagination"] == pagination
    staff = api.get(PATH, headers=librarian.headers).json()
    assert staff["pagination"]["total"] == 1


def test_list_is_filtered_by_type_and_read_state(api: Any) -> None:
    student = users.student()
    first, second = _notify(student, 2)
    [other] = _notify(student, kind="DELIVERY_TASK_ASSIGNED")
    api.put(f"{PATH}/{first}/read", headers=student.headers)

    def found(**filters: Any) -> set[str]:
        answer = api.get(PATH, params=filters, headers=student.headers).json()
        return {row["id"] for row in answer["data"]}

    assert found(is_read=True) == {first}
    assert found(is_read=False) == {second, other}
    assert found(notification_type="DELIVERY_TASK_ASSIGNED") == {other}
    assert found(notification_type="NOTHING_OF_THE_KIND") == set()


def test_list_is_paginated_and_sorted(api: Any) -> None:
    student = users.student()
    ids = _notify(student, 5)
    page = api.get(PATH, params={"page": 2, "limit": 2}, headers=student.headers).json()
    assert [row["id"] for row in page["data"]] == ids[2:4]
    rising = api.get(PATH, params={"sort": "created_at"}, headers=student.headers).json()
    assert [row["id"] for row in rising["data"]] == ids[::-1]
    wrong = api.get(PATH, params={"sort": "title"}, headers=student.headers)
    assert wrong.status_code == 422
    assert wrong.json()["error"]["details"]["fields"]["sort"] == ["must be one of: created_at"]


def test_repeated_mark_read_changes_nothing(api: Any) -> None:
    student = users.student()
    [mine] = _notify(student)
    first = api.put(f"{PATH}/{mine}/read", headers=student.headers)
    assert first.json()["data"]["is_read"] is True
    advance_clock(timedelta(minutes=1))
    again = api.put(f"{PATH}/{mine}/read", headers=student.headers)
    assert again.status_code == 200
    assert again.json()["data"] == first.json()["data"]


def test_stale_if_match_is_refused(api: Any) -> None:
    student = users.student()
    [mine] = _notify(student)
    seen = api.get(f"{PATH}/{mine}", headers=student.headers).headers["etag"]
    headers = student.headers | {"If-Match": seen}
    assert api.put(f"{PATH}/{mine}/read", headers=headers).status_code == 200
    stale = api.put(f"{PATH}/{mine}/read", headers=headers)
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "STALE_VERSION")


def test_notification_of_another_user_is_not_found(api: Any) -> None:
    student = users.student()
    [mine] = _notify(student)
    for stranger in (users.student(), users.librarian(), users.admin()):
        calls = [
            api.get(f"{PATH}/{mine}", headers=stranger.headers),
            api.put(f"{PATH}/{mine}/read", headers=stranger.headers),
            api.delete(f"{PATH}/{mine}", headers=stranger.headers),
        ]
        assert [call.status_code for call in calls] == [404, 404, 404]
    assert api.get(f"{PATH}/{mine}", headers=student.headers).json()["data"]["is_read"] is False


def test_read_all_marks_only_own_notifications(api: Any) -> None:
    student, other = users.student(), users.student()
    _notify(student, 3)
    _notify(other)
    count = f"{PATH}/unread-count"
    assert api.get(count, headers=student.headers).json()["data"] == {"unread": 3}
    answer = api.put(f"{PATH}/read-all", headers=student.headers)
    assert answer.json()["data"] == {"marked": 3}
    assert api.put(f"{PATH}/read-all", headers=student.headers).json()["data"] == {"marked": 0}
    assert api.get(count, headers=student.headers).json()["data"] == {"unread": 0}
    assert api.get(count, headers=other.headers).json()["data"] == {"unread": 1}


def test_deleted_notification_is_not_found(api: Any) -> None:
    student = users.student()
    [mine] = _notify(student)
    answer = api.delete(f"{PATH}/{mine}", headers=student.headers)
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert api.delete(f"{PATH}/{mine}", headers=student.headers).status_code == 404


def test_anonymous_access_is_refused(api: Any) -> None:
    calls = [
        api.get(PATH),
        api.get(f"{PATH}/unread-count"),
        api.put(f"{PATH}/read-all"),
        api.post(f"{PATH}/ws-ticket"),
        api.get(f"{PATH}/not-an-id"),
    ]
    assert [call.status_code for call in calls] == [401] * 5


def test_watchdog_records_round_trip(api: Any) -> None:
    run_periodic("watchdog")
    advance_clock(timedelta(milliseconds=1500))
    run_events()
    with database.transaction() as session:
        heartbeat = session.get_one(ProcessHeartbeat, ("watchdog", "chain"))
    assert 1500 <= heartbeat.details["round_trip_ms"] < 10_000


def test_retention_deletes_old_rows_but_no_pending_event(api: Any) -> None:
    student = users.student()
    publish(request_event(create_request(student)))
    run_events()
    waiting = events.RobotResumed(
        robots=[], robot_id=uuid4(), robot_name="luna-bot-1", reason="clear", by=student.id
    )
    [unfinished] = publish(waiting)
    advance_clock(timedelta(days=15))
    run_periodic("retention")
    with database.transaction() as session:
        left = [row.id for row in session.query(OutboxEvent).all()]
        assert left == [unfinished]
        assert session.query(Notification).count() == 1
    advance_clock(timedelta(days=76))
    run_periodic("retention")
    with database.transaction() as session:
        assert session.query(Notification).count() == 0
