"""Periodic jobs hold the locks of one task and robot at a time, and wait for no robot."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from backend.robot.schemas.waypoints import WaypointBody
from backend.shared.infra import database
from backend.shared.models import Robot
from tests import event_runner
from tests.factories import catalogue, users
from tests.scenario import Scenario, start_scenario

_SWEEPS = (
    "delivery.arrivals",
    "delivery.deadlines",
    "robot.connectivity",
    "robot.dispatch_sweep",
    "robot.docking",
    "robot.leases",
    "robot.pending_commands",
)


@pytest.fixture
def overdue(api: Any) -> tuple[Scenario, list[UUID]]:
    """Three robots that have waited too long to be loaded, and are silent; their tasks."""
    scenario = start_scenario(api, robots=3)
    tasks = []
    for number in range(len(scenario.robots)):
        scenario.book, scenario.student = catalogue.add_book(f"Book {number}"), users.student()
        scenario.request_delivery()
        scenario.run_events()
        driven = next(each for each in scenario.robots if _serves(scenario, each.id))
        scenario.drive_robot(driven)
        tasks.append(UUID(scenario.task_id))
    scenario.advance_seconds(601)
    return scenario, sorted(tasks)


def _serves(scenario: Scenario, robot_id: UUID) -> bool:
    return bool(scenario.task["assigned_robot_id"] == str(robot_id))


def _lock(connection: Connection, table: str, ids: list[UUID]) -> None:
    """Lock these rows one after the other, the last first: against the order of the sweeps."""
    statement = text(f"SELECT 1 FROM {table} WHERE id = :id FOR UPDATE")  # noqa: S608 (a constant)
    for each in reversed(ids):
        connection.execute(statement, {"id": each})


def _state(scenario: Scenario, task: UUID) -> str:
    scenario.task_id = str(task)
    return scenario.state


@pytest.mark.parametrize("job", _SWEEPS)
def test_sweep_does_not_deadlock_with_locks_in_the_opposite_order(
    overdue: tuple[Scenario, list[UUID]], owner: Engine, job: str
) -> None:
    scenario, tasks = overdue
    with owner.begin() as other, ThreadPoolExecutor(1) as pool:
        _lock(other, "robots", sorted(robot.id for robot in scenario.robots)[1:])
        sweep = pool.submit(event_runner.run_periodic, job)
        event_runner.wait_until(lambda: sweep.done() or event_runner.is_waiting(owner))
        _lock(other, "delivery_tasks", tasks)
        assert sweep.result(timeout=10) is None
    event_runner.run_periodic(job)


@pytest.mark.parametrize("table", ["waypoints", "waypoint_edges"])
def test_change_of_the_map_locks_the_map_before_a_part_of_it(
    scenario: Scenario, owner: Engine, table: str
) -> None:
    """So that a whole map that is loaded at the same time cannot deadlock with it."""
    if table == "waypoints":
        seen = scenario.get(scenario.librarian, "/robot/waypoints")[0]
        path = f"/robot/waypoints/{seen['id']}"
        body = {name: seen[name] for name in WaypointBody.model_fields if name in seen}
    else:
        seen = scenario.get(scenario.librarian, "/robot/map")["edges"][0]
        path, body = f"/robot/map/edges/{seen['id']}/close", {"reason": "wet floor"}
    with owner.begin() as other, ThreadPoolExecutor(1) as pool:
        other.execute(text("SELECT 1 FROM fleet_state FOR UPDATE"))
        change = pool.submit(scenario.call, scenario.librarian, "PUT", path, json=body)
        event_runner.wait_until(lambda: change.done() or event_runner.is_waiting(owner))
        _lock(other, table, [UUID(seen["id"])])
        other.rollback()
        assert change.result(timeout=30).status_code == 200


def test_deadlines_of_other_tasks_are_kept_while_one_robot_is_locked(
    overdue: tuple[Scenario, list[UUID]], owner: Engine
) -> None:
    scenario, tasks = overdue
    scenario.task_id = str(tasks[0])
    locked = UUID(scenario.task["assigned_robot_id"])
    with owner.begin() as other:
        _lock(other, "robots", [locked])
        event_runner.run_periodic("delivery.deadlines")
        found = [_state(scenario, task) for task in tasks]
        assert found == ["ASSIGNED/LOADING", "QUEUED", "QUEUED"]
    event_runner.run_periodic("delivery.deadlines")
    assert _state(scenario, tasks[0]) == "QUEUED"


def test_step_that_waits_for_a_lock_is_left_for_the_next_run(
    overdue: tuple[Scenario, list[UUID]], owner: Engine
) -> None:
    scenario, _ = overdue
    robots = [robot.id for robot in scenario.robots]

    def lock(session: Session, robot_id: UUID) -> UUID:
        return database.row_lock(session, Robot, robot_id).id

    with owner.begin() as other:
        _lock(other, "robots", robots[:1])
        assert database.run_each(robots, lock) == 2
    assert database.run_each(robots, lock) == 3
