"""Which robot serves which task (workflow.md §3)."""

from typing import Any

import pytest

from tests import event_runner, scenario
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge
from tests.scenario import Story


@pytest.fixture
def hall(api: Any) -> Story:
    """A library without robots."""
    return scenario.begin(api, robots=0)


def _bot(tale: Story, name: str, at: str = "Dock 1") -> Bridge:
    bridge = catalogue.add_robot(tale.api, name, at)
    tale.robots.append(bridge)
    return bridge


def _ask_many(tale: Story, *priorities: str) -> list[str]:
    """One request each, of this priority; the ids of their tasks."""
    made = []
    for number, priority in enumerate(priorities):
        tale.book, tale.student = catalogue.add_book(f"Book {number}"), users.student()
        tale.ask()
        if priority != "NORMAL":
            tale.staff("priority", priority=priority)
        made.append(tale.task_id)
    tale.run()
    return made


def _serves(tale: Story, task_id: str) -> Any:
    return tale.get(tale.librarian, f"/deliveries/{task_id}")["assigned_robot_id"]


def test_the_most_urgent_is_served_first_then_the_oldest(hall: Story) -> None:
    low, first, second, high, urgent = _ask_many(hall, "LOW", "NORMAL", "NORMAL", "HIGH", "URGENT")
    queue = [task["id"] for task in hall.get(hall.librarian, "/robot/tasks")]
    assert queue == [urgent, high, first, second, low]
    for served, name in ((urgent, "bot-1"), (high, "bot-2"), (first, "bot-3")):
        robot = _bot(hall, name)
        hall.run()
        assert _serves(hall, served) == str(robot.id)


def test_the_nearest_robot_is_sent(hall: Story) -> None:
    _bot(hall, "far", "Study Room 203")
    near = _bot(hall, "near", "Return Station")
    _bot(hall, "farther", "Study Room 202")
    hall.ask()
    hall.run()
    assert hall.task["assigned_robot_id"] == str(near.id)


@pytest.mark.parametrize("reason", ["battery", "stopped", "maintenance", "silent", "busy", "error"])
def test_a_robot_that_is_not_fit_is_not_sent(hall: Story, reason: str) -> None:
    near = _bot(hall, "near", "Circulation Desk")
    far = _bot(hall, "far", "Study Room 203")
    _make_unfit(hall, near, reason)
    hall.run()
    hall.book, hall.student = catalogue.add_book("The one"), users.student()
    hall.ask()
    hall.run()
    assert hall.task["assigned_robot_id"] == str(far.id)


def _make_unfit(tale: Story, robot: Bridge, reason: str) -> None:
    if reason == "battery":
        tale.let_pass(61)
        for bot in tale.robots:
            bot.beat(battery=0.1 if bot is robot else 0.9)
    elif reason == "stopped":
        tale.call(tale.librarian, "POST", f"/robot/emergency-stop/{robot.id}")
    elif reason == "maintenance":
        path = f"/robot/robots/{robot.id}"
        tale.call(users.admin(), "PUT", path, json={"maintenance": True})
    elif reason == "error":
        robot.beat(errors=[{"type": "WHEEL", "level": "FATAL"}])
    elif reason == "busy":
        tale.ask()
    else:
        event_runner.run_periodic("robot.connectivity")
        tale.let_pass(11)
        tale.robots[1].beat()
        event_runner.run_periodic("robot.connectivity")


def test_a_new_priority_wakes_the_dispatcher(hall: Story) -> None:
    hall.ask()
    hall.run()
    hall.staff("priority", priority="HIGH")
    assert "delivery.task.queued" in hall.run()


def test_a_freed_robot_serves_the_next_at_once(hall: Story) -> None:
    _bot(hall, "only")
    first, second = _ask_many(hall, "NORMAL", "NORMAL")
    assert (_serves(hall, second), hall.state) == (None, "QUEUED")
    hall.task_id = first
    hall.staff("cancel")
    command = hall.robots[0].next()
    if command is not None:  # the drive it had taken up is called off first
        hall.robots[0].report(command, "SUCCEEDED")
    hall.run()
    assert _serves(hall, second) == str(hall.robots[0].id)


def test_students_see_neither_robots_nor_queue(hall: Story) -> None:
    for path in ("/robot/status", "/robot/tasks", "/robot/map", "/deliveries"):
        assert hall.call(hall.student, "GET", path, 403)
