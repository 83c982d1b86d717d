"""Which robot serves which task (workflow.md §3)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from backend.robot.service import dispatch as service
from backend.shared.domain import workflow
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.infra import database
from backend.shared.models import DeliveryTask, WaitingReason
from tests import event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge
from tests.scenario import Scenario, start_scenario


@pytest.fixture
def hall(api: Any) -> Scenario:
    """A library without robots."""
    return start_scenario(api, robots=0)


def _bot(scenario: Scenario, name: str, at: str = "Dock 1") -> Bridge:
    bridge = catalogue.add_robot(scenario.api, name, at)
    scenario.robots.append(bridge)
    return bridge


def _ask_many(scenario: Scenario, *priorities: str) -> list[str]:
    """Create one request per priority; the ids of their tasks."""
    made = []
    for number, priority in enumerate(priorities):
        scenario.book, scenario.student = catalogue.add_book(f"Book {number}"), users.student()
        scenario.request_delivery()
        if priority != "NORMAL":
            scenario.as_librarian("priority", priority=priority)
        made.append(scenario.task_id)
    scenario.run_events()
    return made


def _serves(scenario: Scenario, task_id: str) -> Any:
    return scenario.get(scenario.librarian, f"/deliveries/{task_id}")["assigned_robot_id"]


def test_tasks_are_served_by_priority_then_age(hall: Scenario) -> None:
    low, first, second, high, urgent = _ask_many(hall, "LOW", "NORMAL", "NORMAL", "HIGH", "URGENT")
    queue = [task["id"] for task in hall.get(hall.librarian, "/robot/tasks")]
    assert queue == [urgent, high, first, second, low]
    for served, name in ((urgent, "bot-1"), (high, "bot-2"), (first, "bot-3")):
        robot = _bot(hall, name)
        hall.run_events()
        assert _serves(hall, served) == str(robot.id)


def test_nearest_robot_is_assigned(hall: Scenario) -> None:
    _bot(hall, "far", "Study Room 203")
    near = _bot(hall, "near", "Return Station")
    _bot(hall, "farther", "Study Room 202")
    hall.request_delivery()
    hall.run_events()
    assert hall.task["assigned_robot_id"] == str(near.id)


@pytest.mark.parametrize("reason", ["battery", "stopped", "maintenance", "silent", "busy", "error"])
def test_unassignable_robot_is_not_assigned(hall: Scenario, reason: str) -> None:
    near = _bot(hall, "near", "Circulation Desk")
    far = _bot(hall, "far", "Study Room 203")
    _make_unfit(hall, near, reason)
    hall.run_events()
    hall.book, hall.student = catalogue.add_book("The one"), users.student()
    hall.request_delivery()
    hall.run_events()
    assert hall.task["assigned_robot_id"] == str(far.id)


def _make_unfit(scenario: Scenario, robot: Bridge, reason: str) -> None:
    if reason == "battery":
        scenario.advance_seconds(61)
        for bot in scenario.robots:
            bot.heartbeat(battery=0.1 if bot is robot else 0.9)
    elif reason == "stopped":
        scenario.call(scenario.librarian, "POST", f"/robot/emergency-stop/{robot.id}")
    elif reason == "maintenance":
        path = f"/robot/robots/{robot.id}"
        scenario.call(users.admin(), "PUT", path, json={"maintenance": True})
    elif reason == "error":
        robot.heartbeat(errors=[{"type": "WHEEL", "level": "FATAL"}])
    elif reason == "busy":
        scenario.request_delivery()
    else:
        event_runner.run_periodic("robot.connectivity")
        scenario.advance_seconds(11)
        scenario.robots[1].heartbeat()
        scenario.advance_seconds(0.1)  # the service stores that it received the heartbeat
        event_runner.run_periodic("robot.connectivity")


def test_priority_change_triggers_dispatch(hall: Scenario) -> None:
    robot = _bot(hall, "only")
    path, admin = f"/robot/robots/{robot.id}", users.admin()
    hall.call(admin, "PUT", path, json={"maintenance": True})
    _ask_many(hall, "NORMAL")
    _ask_many(hall, "LOW")
    hall.call(admin, "PUT", path, json={"maintenance": False})
    hall.as_librarian("priority", priority="HIGH")
    hall.run_events()
    assert hall.state == "ASSIGNED/TO_SOURCE"


def test_released_robot_is_assigned_the_next_task(hall: Scenario) -> None:
    _bot(hall, "only")
    first, second = _ask_many(hall, "NORMAL", "NORMAL")
    assert (_serves(hall, second), hall.state) == (None, "QUEUED")
    hall.task_id = first
    hall.as_librarian("cancel")
    command = hall.robots[0].next_command()
    if command is not None:  # the drive it had taken up is called off first
        hall.robots[0].report(command, "SUCCEEDED")
    hall.run_events()
    assert _serves(hall, second) == str(hall.robots[0].id)


def test_end_of_maintenance_triggers_dispatch(hall: Scenario) -> None:
    path, admin = f"/robot/robots/{_bot(hall, 'only').id}", users.admin()
    hall.call(admin, "PUT", path, json={"maintenance": True})
    _ask_many(hall, "NORMAL")
    assert hall.task["waiting_reason"] == "NO_ROBOT_IN_SERVICE"
    hall.call(admin, "PUT", path, json={"maintenance": False})
    hall.run_events()
    assert hall.state == "ASSIGNED/TO_SOURCE"


def test_student_and_staff_see_why_a_task_waits_and_how_many_are_ahead(hall: Scenario) -> None:
    _bot(hall, "only")
    _ask_many(hall, "NORMAL", "NORMAL", "NORMAL")
    seen = hall.current_request["task"]
    assert (seen["waiting_reason"], seen["queue_ahead"]) == ("ROBOTS_BUSY", 1)
    queue = hall.get(hall.librarian, "/robot/tasks?status=QUEUED")
    assert [task["waiting_reason"] for task in queue] == ["ROBOTS_BUSY"] * 2
    hall.call(hall.librarian, "POST", "/robot/emergency-stop")
    event_runner.run_periodic("robot.dispatch_sweep")
    assert hall.task["waiting_reason"] == "ROBOTS_STOPPED"
    _bot(hall, "later")
    hall.call(hall.librarian, "POST", "/robot/resume", json={"reason": "clear"})
    hall.run_events()
    assert hall.get(hall.librarian, "/robot/tasks?status=ASSIGNED")[1]["waiting_reason"] is None


def test_robot_on_its_way_to_a_dock_is_assigned(hall: Scenario) -> None:
    robot = _bot(hall, "low", "Study Room 203")
    hall.advance_seconds(61)
    robot.heartbeat(battery=0.35)
    event_runner.run_periodic("robot.docking")
    command = robot.next_command()
    assert command["payload"]["waypoint"]["name"] == "Dock 1"
    hall.request_delivery()
    hall.run_events()
    assert hall.task["assigned_robot_id"] == str(robot.id)
    assert robot.next_command()["type"] == "CANCEL"
    assert robot.next_command()["payload"]["waypoint"]["name"] == "Circulation Desk"


def test_charging_robot_serves_above_the_set_charge(hall: Scenario) -> None:
    robot = _bot(hall, "charging")
    hall.advance_seconds(61)
    robot.heartbeat(battery=0.5, charging=True, docked=True)
    _ask_many(hall, "NORMAL")
    assert (hall.state, hall.task["waiting_reason"]) == ("QUEUED", "ROBOTS_CHARGING")
    robot.heartbeat(battery=0.61, charging=True, docked=True)
    hall.run_events()
    assert hall.state == "ASSIGNED/TO_SOURCE"


def test_concurrent_dispatchers_assign_each_robot_and_task_once(hall: Scenario) -> None:
    for number in range(4):
        _bot(hall, f"bot-{number}")
    for number in range(6):
        hall.book, hall.student = catalogue.add_book(f"Book {number}"), users.student()
        hall.request_delivery()
    event_runner.load_handlers()

    def dispatch() -> int:
        with database.transaction() as session:
            return service.run(session)

    with ThreadPoolExecutor(4) as pool:
        assigned = [each.result() for each in [pool.submit(dispatch) for _ in range(4)]]
    tasks = hall.get(hall.librarian, "/robot/tasks")
    robots = [task["robot_id"] for task in tasks if task["robot_id"]]
    assert sum(assigned) == len(robots) == len(set(robots)) == 4


def test_student_cannot_list_robots_or_tasks(hall: Scenario) -> None:
    for path in ("/robot/status", "/robot/tasks", "/robot/map", "/deliveries"):
        assert hall.call(hall.student, "GET", path, 403)


def _recorded(owner: Engine, task_id: str) -> tuple[Any, Any, Any]:
    """Return what a transition stores: task, last history entry, last event; no ids, no times."""
    changing = {"id", "task_id", "entry_id", "stage_since", "created_at", "request_id", "user_id"}
    changing |= {"reference", "copy_id", "created_by"}
    with owner.connect() as connection:
        rows = [
            connection.execute(text(f"SELECT * FROM {source}"), {"id": task_id}).mappings().one()  # noqa: S608 (constants)
            for source in (
                "delivery_tasks WHERE id = :id",
                "task_status_history WHERE task_id = :id ORDER BY id DESC LIMIT 1",
                "outbox WHERE aggregate_type = 'delivery_task' AND aggregate_id = :id",
            )
        ]
    task, entry, event = ({k: v for k, v in row.items() if k not in changing} for row in rows)
    payload = {k: v for k, v in event["payload"].items() if k not in changing}
    return task, entry, (event["event_type"], event["seq"], event["version"], payload)


def test_tasks_taken_together_are_stored_as_one_by_one(hall: Scenario, owner: Engine) -> None:
    hall.book, stored = catalogue.add_book("Twice", copies=2), []
    for together in (False, True):
        hall.student = users.student()
        hall.request_delivery()
        task_id = UUID(hall.task_id)
        with database.transaction() as session:
            if together:
                workflow.take_all(session, [task_id], "dispatcher", {})
            else:
                task = database.row_lock(session, DeliveryTask, task_id)
                workflow.apply(session, task, Action.TAKE, TransitionContext(by="dispatcher"))
        stored.append(_recorded(owner, hall.task_id))
    assert stored[0] == stored[1]
    with database.transaction() as session:  # they are no longer new
        own = UUID(hall.task_id)
        assert not workflow.take_all(session, [own], "dispatcher", {own: WaitingReason.ROBOTS_BUSY})
    assert _recorded(owner, hall.task_id) == stored[1]


def test_task_is_queued_with_the_reason_why_it_waits(hall: Scenario, owner: Engine) -> None:
    hall.request_delivery()
    own = UUID(hall.task_id)
    with database.transaction() as session:
        reasons = {own: WaitingReason.ROBOTS_BUSY}
        assert workflow.take_all(session, [own], "dispatcher", reasons) == {own}
    task, *_ = _recorded(owner, hall.task_id)
    assert (task["status"], task["waiting_reason"]) == ("QUEUED", "ROBOTS_BUSY")
