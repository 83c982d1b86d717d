"""The dispatch policy as pure functions: order, choice of the robot, reasons to wait."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend.robot.service import dispatch_policy
from backend.robot.service.dispatch_policy import FleetRobot, Limits, Snapshot, WaitingTask
from backend.shared.models import Priority, WaitingReason

pytestmark = pytest.mark.unit
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_LIMITS = Limits(
    ageing=timedelta(minutes=15), battery_per_metre=0.001, battery_reserve=0.15, battery_ready=0.6
)


def _id(number: int) -> UUID:
    return UUID(int=number)


def _lengths_to(end: UUID) -> Mapping[UUID, float]:
    """A corridor: waypoint n is n × 10 m from its beginning. Waypoint 99 has no route."""
    if end == _id(99):
        return {end: 0.0}
    return {_id(number): abs(number - end.int) * 10.0 for number in range(20)}


def _task(number: int, priority: Priority = Priority.NORMAL, **changes: Any) -> WaitingTask:
    given = {
        "created_at": NOW - timedelta(seconds=100 - number),
        "source": _id(1),
        "destination": _id(3),
        **changes,
    }
    return WaitingTask(id=_id(1000 + number), priority=priority, **given)


def _robot(number: int, **changes: Any) -> FleetRobot:
    return FleetRobot(**{"id": _id(number), "place": _id(number), "battery": 0.9, **changes})


def _snapshot(tasks: list[WaitingTask], robots: list[FleetRobot], *docks: int) -> Snapshot:
    return Snapshot(NOW, tasks, robots, _lengths_to, [_id(dock) for dock in docks], _LIMITS)


def _robot_of(task: WaitingTask, *robots: FleetRobot, docks: tuple[int, ...] = (0,)) -> int | None:
    found = dispatch_policy.decide(_snapshot([task], list(robots), *docks)).robots.get(task.id)
    return found.int if found is not None else None


def _reason(task: WaitingTask, *robots: FleetRobot) -> WaitingReason:
    return dispatch_policy.decide(_snapshot([task], list(robots), 0)).reasons[task.id]


def test_tasks_are_served_by_priority_then_age() -> None:
    tasks = [_task(1), _task(2, Priority.LOW), _task(3, Priority.URGENT), _task(4, Priority.HIGH)]
    order = dispatch_policy.serving_order(_snapshot(tasks, []))
    assert [task.id.int - 1000 for task in order] == [3, 4, 1, 2]


def test_task_rises_one_priority_for_each_interval_that_it_has_waited() -> None:
    def waited(minutes: float) -> int:
        task = _task(1, Priority.LOW, created_at=NOW - timedelta(minutes=minutes))
        return dispatch_policy.rank(task, NOW, _LIMITS.ageing)

    assert [waited(minutes) for minutes in (0, 14.9, 15, 30, 45, 600)] == [3, 3, 2, 1, 0, 0]


def test_task_from_the_future_keeps_its_priority() -> None:
    task = _task(1, created_at=NOW + timedelta(hours=1))
    assert dispatch_policy.rank(task, NOW, _LIMITS.ageing) == 2


def test_aged_task_goes_before_a_newer_one_of_higher_priority() -> None:
    old = _task(1, Priority.LOW, created_at=NOW - timedelta(minutes=46))
    tasks = [_task(2, Priority.URGENT), old]
    assert dispatch_policy.serving_order(_snapshot(tasks, []))[0] is old


def test_nearest_robot_is_chosen() -> None:
    assert _robot_of(_task(1), _robot(9), _robot(2), _robot(5)) == 2


def test_robot_that_staff_took_the_task_from_is_chosen_only_when_alone() -> None:
    task = _task(1, avoid=_id(2))
    assert _robot_of(task, _robot(9), _robot(2)) == 9
    assert _robot_of(task, _robot(2)) == 2


def test_each_robot_gets_one_task() -> None:
    tasks = [_task(number) for number in range(5)]
    decision = dispatch_policy.decide(_snapshot(tasks, [_robot(2), _robot(3)], 0))
    assert len(decision.robots) == len(set(decision.robots.values())) == 2
    assert set(decision.reasons.values()) == {WaitingReason.ROBOTS_BUSY}


@pytest.mark.parametrize(
    "unfit",
    [
        {"in_service": False},
        {"online": False},
        {"stopped": True},
        {"busy": True},
        {"place": None},
        {"battery": None},
        {"charging": True, "battery": 0.59},
    ],
)
def test_unfit_robot_is_not_chosen(unfit: dict[str, Any]) -> None:
    assert _robot_of(_task(1), _robot(2, **unfit), _robot(9)) == 9


def test_battery_must_last_for_drive_trip_way_to_dock_and_reserve() -> None:
    # 10 m to the source, 20 m with the book, 30 m to the dock: 0.06, and 0.15 in reserve
    assert _robot_of(_task(1), _robot(2, battery=0.2101)) == 2
    assert _robot_of(_task(1), _robot(2, battery=0.2099)) is None
    assert _robot_of(_task(1), _robot(2, battery=0.2099), docks=(3,)) == 2
    assert _robot_of(_task(1), _robot(2, battery=0.1801), docks=()) == 2


def test_charging_robot_serves_again_above_the_set_charge() -> None:
    assert _robot_of(_task(1), _robot(2, charging=True, battery=0.6)) == 2


@pytest.mark.parametrize(
    ("robots", "reason"),
    [
        ([], WaitingReason.NO_ROBOT_IN_SERVICE),
        ([{"in_service": False}], WaitingReason.NO_ROBOT_IN_SERVICE),
        ([{"online": False}, {"in_service": False}], WaitingReason.ROBOTS_OFFLINE),
        ([{"stopped": True}, {"online": False}], WaitingReason.ROBOTS_STOPPED),
        ([{"charging": True, "battery": 0.2}], WaitingReason.ROBOTS_CHARGING),
        ([{"battery": 0.16}], WaitingReason.ROBOTS_CHARGING),
        ([{"busy": True}, {"charging": True, "battery": 0.2}], WaitingReason.ROBOTS_BUSY),
        ([{"place": UUID(int=98)}], WaitingReason.NO_ROUTE),
    ],
)
def test_reason_to_wait(robots: list[dict[str, Any]], reason: WaitingReason) -> None:
    fleet = [_robot(number, **changes) for number, changes in enumerate(robots, 2)]
    assert _reason(_task(1), *fleet) is reason


def test_task_without_an_open_route_does_not_hold_up_the_next() -> None:
    tasks = [_task(1, destination=_id(99)), _task(2)]
    decision = dispatch_policy.decide(_snapshot(tasks, [_robot(2)], 0))
    assert decision.robots == {tasks[1].id: _id(2)}
    assert decision.reasons == {tasks[0].id: WaitingReason.NO_ROUTE}
