"""Arrival times of tasks: a range, and a reason when it becomes much later."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, delete, text

from backend.shared.domain import transitions
from backend.shared.domain.eta import trip_times
from backend.shared.domain.eta.trip_times import Spread
from backend.shared.domain.transitions import Action
from backend.shared.infra import clock, database, ids
from backend.shared.models import TaskHistory
from tests import event_runner
from tests.factories import catalogue, users
from tests.scenario import Scenario, start_scenario


def _task(scenario: Scenario) -> Any:
    return scenario.current_request["task"]


def _revise(scenario: Scenario, minutes: float) -> Any:
    event_runner.advance_clock(timedelta(minutes=minutes))
    event_runner.run_periodic("delivery.arrivals")
    return _task(scenario)


def _time(task: Any, field: str) -> datetime:
    return datetime.fromisoformat(task[field])


def test_assigned_task_has_a_range_around_its_arrival(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    task = _task(scenario)
    assert task["eta_earliest"] < task["eta"] < task["eta_latest"]
    assert task["eta_reason"] is None


def test_overdue_arrival_in_a_list_is_as_of_now(scenario: Scenario) -> None:
    """Though nothing of the request has changed since the list was last read."""

    def listed() -> datetime:
        return _time(scenario.get(scenario.student, "/requests")[0]["task"], "eta")

    scenario.request_delivery()
    scenario.run_events()
    said = listed()
    assert listed() == said
    event_runner.advance_clock(timedelta(minutes=30))
    now = clock.now()
    assert listed() >= now - timedelta(milliseconds=1) > said


def test_late_loading_is_said_with_its_reason(scenario: Scenario) -> None:
    scenario.until_loading()
    said = _task(scenario)
    assert _revise(scenario, 1)["eta_reason"] is None
    late = _revise(scenario, 7)
    assert late["eta_reason"] == "WAITING_TO_BE_LOADED"
    assert _time(late, "eta_latest") > _time(said, "eta_latest")


def test_stop_is_the_reason_of_a_later_arrival(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.call(scenario.librarian, "POST", f"/robot/emergency-stop/{scenario.robot.id}")
    scenario.robot.heartbeat()
    assert _revise(scenario, 10)["eta_reason"] == "ROBOT_STOPPED"


def test_arrival_of_a_waiting_task_grows_with_the_queue_ahead(api: Any) -> None:
    scenario = start_scenario(api, robots=1)
    scenario.request_delivery()
    scenario.run_events()
    said = []
    for number in range(3):
        scenario.book, scenario.student = catalogue.add_book(f"Book {number}"), users.student()
        scenario.request_delivery()
        scenario.run_events()
        said.append(_revise(scenario, 0.01))
    latest = [_time(task, "eta_latest") for task in said]
    assert latest == sorted(latest)
    assert [task["queue_ahead"] for task in said] == [0, 1, 2]


def test_revised_arrival_keeps_the_version_of_the_task(scenario: Scenario) -> None:
    scenario.until_loading()
    version = scenario.task["version"]
    _revise(scenario, 8)
    assert scenario.task["version"] == version


def test_speed_of_a_drive_is_measured_on_its_edges(scenario: Scenario, owner: Engine) -> None:
    scenario.request_delivery()
    scenario.run_events()
    drive = scenario.robot.next_command()
    for kind in ("ACCEPTED", "STARTED"):
        scenario.robot.report(drive, kind)
    event_runner.advance_clock(timedelta(seconds=20))  # 10 m
    scenario.robot.report(drive, "ARRIVED")
    with owner.connect() as connection:
        statement = text("SELECT measured_speed FROM waypoint_edges WHERE measured_speed > 0")
        (speed,) = connection.scalars(statement).all()
    assert 0.4 < speed <= 0.5


def test_quote_says_whether_and_when(scenario: Scenario) -> None:
    path = f"/requests/quote?book_id={scenario.book}&request_location=sr-201"
    quoted = scenario.get(scenario.student, path)
    assert (quoted["possible"], quoted["code"], quoted["queue_ahead"]) == (True, None, 0)
    assert quoted["eta_earliest"] < quoted["eta_latest"]
    scenario.request_delivery()
    assert scenario.get(scenario.student, path)["code"] == "ALREADY_REQUESTED"
    other = scenario.get(users.student(), path)
    assert (other["possible"], other["code"]) == (False, "BOOK_NOT_AVAILABLE")
    assert other["queue_ahead"] == 1
    scenario.call(scenario.student, "GET", path.replace("sr-201", "moon"), 422)


def test_arrival_is_unknown_while_a_failed_drive_waits_for_staff(scenario: Scenario) -> None:
    scenario.until_departed()
    for _ in range(3):
        scenario.robot.report(scenario.robot.next_command(), "FAILED", message="wheel slips")
        scenario.run_events()
    waiting = _revise(scenario, 1)
    assert (waiting["eta"], waiting["eta_latest"]) == (None, None)
    assert waiting["eta_reason"] == "WAITING_FOR_STAFF"
    path = f"/robot/robots/{scenario.robot.id}/resume-task"
    scenario.call(scenario.librarian, "PUT", path)
    known = _revise(scenario, 0.1)
    assert known["eta"] is not None
    assert known["eta_reason"] == "SLOWER"


def test_detour_is_the_reason_of_a_later_arrival(scenario: Scenario) -> None:
    plan = scenario.get(scenario.librarian, "/robot/map")
    corner = {"name": "Corner", "location_code": "J-1", "kind": "JUNCTION", "floor": 1}
    plan["waypoints"].append({**corner, "x": 5.0, "y": 190.0})
    plan["edges"] += [{"from": "DK-1", "to": "J-1"}, {"from": "J-1", "to": "WS-1"}]
    scenario.call(scenario.librarian, "PUT", "/robot/map", json=plan)
    scenario.request_delivery()
    scenario.run_events()
    said = _task(scenario)
    blocked = scenario.robot.next_command()
    scenario.robot.report(blocked, "FAILED", message="PATH_BLOCKED: a trolley")
    scenario.run_events()
    later = _task(scenario)
    assert _time(later, "eta") > _time(said, "eta") + timedelta(minutes=2)
    assert later["eta_reason"] == "DETOUR"


def test_detail_says_nothing_much_later_before_its_reason_is_known(scenario: Scenario) -> None:
    scenario.until_departed()
    said = _task(scenario)
    scenario.robot.heartbeat(speed=0.01)
    scenario.robot.heartbeat(speed=0.01)
    seen = _task(scenario)
    assert _time(seen, "eta") <= _time(said, "eta") + timedelta(minutes=2)
    late = _revise(scenario, 0)
    assert _time(late, "eta") > _time(said, "eta") + timedelta(minutes=2)
    assert late["eta_reason"] == "SLOWER"


def _history(task_id: str, steps: int, loading: timedelta, drive: timedelta) -> list[TaskHistory]:
    """Build trips of a task: loaded after `loading`, at the hand-over after `drive`."""
    states = (
        (Action.ARRIVE, transitions.TO_SOURCE, transitions.LOADING, timedelta(minutes=1)),
        (Action.LOAD, transitions.LOADING, transitions.TO_DESTINATION, loading),
        (Action.ARRIVE, transitions.TO_DESTINATION, transitions.HANDOVER, drive),
    )
    at, rows = clock.now() - timedelta(hours=9), []
    for action, before, after, took in states * steps:
        at += took
        rows.append(
            TaskHistory(
                id=ids.uuid7(), task_id=UUID(task_id), action=action.value,
                from_status=before[0], from_stage=before[1], to_status=after[0], to_stage=after[1],
                changed_by="test", attempt=1, created_at=at,
            )
        )  # fmt: skip
    return rows


def test_arrivals_follow_the_last_trips(scenario: Scenario) -> None:
    scenario.request_delivery()
    loading, drive = timedelta(minutes=7), timedelta(hours=1)
    with database.transaction() as session:
        session.add_all(_history(scenario.task["id"], 20, loading, drive))
    trip_times.clear_cache()
    with database.transaction() as session:
        measured = trip_times.current(session)
    assert measured.loading == Spread(420.0, 420.0, 420.0)
    assert measured.delay is not None
    assert 0 < measured.delay.usual < drive.total_seconds()
    scenario.run_events()
    said = datetime.fromisoformat(scenario.task["eta"])
    assert said > clock.now() + loading + drive
    with database.transaction() as session:
        session.execute(delete(TaskHistory).where(TaskHistory.changed_by == "test"))
