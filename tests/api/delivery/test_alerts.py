"""The inbox of alerts: raised once for a fault, claimed by one person, resolved or cleared."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.delivery import tasks
from backend.shared.messaging import inbox, subscriptions
from tests import event_runner
from tests.factories import catalogue, users
from tests.scenario import Scenario, code_of, details_of, seconds_until_offline, start_scenario


def _alerts(scenario: Scenario, query: str = "state=OPEN") -> Any:
    return scenario.get(scenario.librarian, f"/deliveries/alerts?{query}")


def _kinds(scenario: Scenario, query: str = "state=OPEN") -> list[str]:
    return [alert["kind"] for alert in _alerts(scenario, query)]


def _fail(scenario: Scenario) -> Any:
    scenario.until_departed()
    scenario.as_librarian("fail", reason="It fell over", book_location="Lift")
    scenario.run_events()
    (alert,) = _alerts(scenario)
    return alert


def _put(
    scenario: Scenario, user: Any, alert: Any, step: str, expect: int = 200, **body: Any
) -> Any:
    path = f"/deliveries/alerts/{alert['id']}/{step}"
    return scenario.call(user, "PUT", path, expect, json=body)


def _go_offline(scenario: Scenario) -> None:
    event_runner.run_periodic("robot.connectivity")
    scenario.advance_seconds(seconds_until_offline())
    event_runner.run_periodic("robot.connectivity")
    scenario.run_events()


def test_failed_task_raises_an_alert_with_suggested_actions(scenario: Scenario) -> None:
    alert = _fail(scenario)
    assert (alert["kind"], alert["severity"]) == ("TASK_FAILED", "CRITICAL")
    assert alert["task_reference"] in alert["message"]
    assert alert["reason"] == "It fell over"
    assert [each["name"] for each in alert["suggested_actions"]] == ["RETRY", "CANCEL"]
    read = scenario.call(scenario.librarian, "GET", f"/deliveries/alerts/{alert['id']}")
    assert read.json()["data"] == alert
    assert read.headers["ETag"]


def test_retry_clears_the_alert_of_a_failed_task(scenario: Scenario) -> None:
    _fail(scenario)
    scenario.as_librarian("retry")
    scenario.run_events()
    assert _kinds(scenario) == []
    (cleared,) = _alerts(scenario, "state=RESOLVED")
    assert (cleared["resolution"], cleared["resolved_by"]) == ("CLEARED", None)


def test_failure_that_staff_have_answered_before_its_event_comes_is_recorded(
    scenario: Scenario,
) -> None:
    scenario.until_departed()
    scenario.as_librarian("fail", reason="It fell over", book_location="Lift")
    scenario.as_librarian("cancel", book_location="Lift")
    pending = {each["eventType"]: each["eventId"] for each in event_runner.pending_events()}
    handler = inbox.each(subscriptions.ALERT, tasks.update_alerts)
    for event_type in ("delivery.task.cancelled", "delivery.task.failed"):
        inbox.consume(subscriptions.ALERT, handler, pending[event_type])
    assert _kinds(scenario) == []
    assert _kinds(scenario, "state=RESOLVED") == ["TASK_FAILED"]


def test_same_fault_is_one_alert_with_a_count(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_student("picked-up")
    scenario.drive_robot()
    scenario.advance_minutes(10.1)
    (first,) = _alerts(scenario)
    assert (first["kind"], first["count"], first["reason"]) == (
        "TASK_NEEDS_ATTENTION",
        1,
        "NOT_RECEIVED",
    )
    scenario.advance_minutes(29)
    assert _alerts(scenario)[0]["count"] == 1
    scenario.advance_minutes(1.1)  # 30 minutes after the first alert
    (second,) = _alerts(scenario)
    assert (second["id"], second["count"]) == (first["id"], 2)
    assert second["first_at"] == first["first_at"] < second["last_at"]
    scenario.as_librarian("complete")
    scenario.run_events()
    assert _kinds(scenario) == []


def test_alert_is_claimed_by_one_person_who_is_named(scenario: Scenario, owner: Engine) -> None:
    alert, other = _fail(scenario), users.librarian()
    claimed = _put(scenario, scenario.librarian, alert, "claim").json()["data"]
    assert claimed["claimed_by"]["id"] == str(scenario.librarian.id)
    assert _put(scenario, scenario.librarian, alert, "claim").json()["data"] == claimed
    refused = _put(scenario, other, alert, "claim", 409)
    assert code_of(refused) == "ALREADY_CLAIMED"
    assert details_of(refused)["claimed_by"] == claimed["claimed_by"]
    assert code_of(_put(scenario, other, alert, "resolve", 409)) == "ALREADY_CLAIMED"
    resolved = _put(scenario, scenario.librarian, alert, "resolve", resolution="Picked it up")
    assert resolved.json()["data"]["resolution"] == "Picked it up"
    assert _kinds(scenario) == []
    with owner.connect() as connection:
        actions = connection.scalars(
            text("SELECT action FROM audit_logs WHERE resource_type = 'alert' ORDER BY id")
        ).all()
    assert actions == ["alert.claim", "alert.resolve"]


def test_admin_resolves_the_claim_of_another(scenario: Scenario) -> None:
    alert = _fail(scenario)
    _put(scenario, scenario.librarian, alert, "claim")
    _put(scenario, users.admin(), alert, "resolve")
    assert _put(scenario, scenario.librarian, alert, "resolve").json()["data"]["resolution"] is None


def test_claimed_alert_can_be_given_back(scenario: Scenario) -> None:
    alert, other = _fail(scenario), users.librarian()
    _put(scenario, scenario.librarian, alert, "claim")
    assert code_of(_put(scenario, other, alert, "release", 409)) == "ALREADY_CLAIMED"
    released = _put(scenario, scenario.librarian, alert, "release").json()["data"]
    assert (released["claimed_by"], released["claimed_at"]) == (None, None)
    assert _put(scenario, scenario.librarian, alert, "release").json()["data"] == released
    claimed = _put(scenario, other, alert, "claim").json()["data"]["claimed_by"]
    assert claimed["id"] == str(other.id)
    assert not _put(scenario, users.admin(), alert, "release").json()["data"]["claimed_by"]


def test_stale_version_of_an_alert_is_refused(scenario: Scenario) -> None:
    alert = _fail(scenario)
    path = f"/deliveries/alerts/{alert['id']}/claim"
    stale = {"If-Match": '"999"'}
    assert code_of(scenario.call(scenario.librarian, "PUT", path, 412, headers=stale))


def test_unknown_alert_is_not_found(scenario: Scenario) -> None:
    unknown = {"id": str(scenario.book)}
    for step in ("claim", "release", "resolve"):
        _put(scenario, scenario.librarian, unknown, step, 404)
    scenario.call(scenario.librarian, "GET", f"/deliveries/alerts/{scenario.book}", 404)


def test_silent_robot_raises_alerts_that_its_return_clears(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.run_events()
    _go_offline(scenario)
    assert sorted(_kinds(scenario)) == ["ROBOT_OFFLINE", "TASK_NEEDS_ATTENTION"]
    scenario.robot.heartbeat()
    scenario.run_events()
    assert _kinds(scenario) == ["TASK_NEEDS_ATTENTION"]
    scenario.drive_robot()
    assert _kinds(scenario) == []


def test_task_without_robot_raises_an_alert_until_one_is_assigned(api: Any) -> None:
    scenario = start_scenario(api, robots=0)
    scenario.request_delivery()
    scenario.run_events()
    scenario.advance_minutes(5.1)
    (alert,) = _alerts(scenario)
    assert (alert["kind"], alert["severity"]) == ("NO_ROBOT", "WARNING")
    catalogue.add_robot(api)
    scenario.run_events()
    assert _kinds(scenario) == []


@pytest.mark.parametrize(
    ("level", "severity"), [("WARNING", None), ("URGENT", "WARNING"), ("FATAL", "CRITICAL")]
)
def test_error_of_a_robot_raises_an_alert_by_its_level(
    scenario: Scenario, level: str, severity: str | None
) -> None:
    scenario.robot.heartbeat(errors=[{"type": "WHEEL", "level": level, "message": "blocked"}])
    scenario.run_events()
    assert [alert["severity"] for alert in _alerts(scenario)] == ([severity] if severity else [])
    if level == "FATAL":
        scenario.robot.heartbeat()
        scenario.run_events()
        assert _kinds(scenario) == []


def test_unconfirmed_stop_is_an_alert_for_each_robot_until_it_stands(scenario: Scenario) -> None:
    stop = scenario.call(scenario.librarian, "POST", "/robot/emergency-stop").json()["data"]
    scenario.advance_seconds(3)
    event_runner.wait_until(lambda: "STOP_UNCONFIRMED" in _kinds_after_events(scenario))
    confirmed = {"stop_version": stop["stop_version"], "type": "MOTION_STOPPED"}
    scenario.robot.call("POST", "/stop/events", json=confirmed)
    scenario.run_events()
    assert "STOP_UNCONFIRMED" not in _kinds(scenario)


def _kinds_after_events(scenario: Scenario) -> list[str]:
    scenario.run_events()
    return _kinds(scenario)


def test_student_reports_a_problem_of_their_own_request(scenario: Scenario) -> None:
    scenario.until_handover()
    path = f"/requests/{scenario.request['id']}/problems"
    body = {"kind": "WRONG_BOOK", "text": "Another title"}
    scenario.call(scenario.student, "POST", path, 202, json=body)
    (alert,) = _alerts(scenario, "kind=REQUEST_PROBLEM")
    assert alert["reason"] == "Another title"
    assert "WRONG_BOOK" in alert["message"]
    scenario.call(users.student(), "POST", path, 404, json=body)
    scenario.call(scenario.librarian, "POST", path, 403, json=body)
    assert "Another title" not in str(event_runner.pending_events())


def test_event_delivered_twice_or_late_raises_no_second_alert(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.as_librarian("fail", reason="Lost", book_location="MISSING")
    failed = [e for e in event_runner.pending_events() if e["eventType"].endswith("task.failed")]
    scenario.run_events()
    event_runner.redeliver(failed[0])
    assert [alert["count"] for alert in _alerts(scenario)] == [1]
    scenario.as_librarian("cancel", book_location="MISSING")
    scenario.run_events()
    event_runner.redeliver(failed[0])
    assert _kinds(scenario) == []
