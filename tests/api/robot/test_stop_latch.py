"""A stop waits for nobody: its latch is a row that nothing else locks (robot-protocol.md §4)."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from backend.robot.bridge_protocol import stop_orders
from backend.robot.bridge_protocol.long_poll import LONG_POLLS
from backend.robot.service import emergency_stop
from backend.shared.infra import database
from tests import event_runner
from tests.factories import catalogue
from tests.factories.catalogue import Bridge
from tests.scenario import Scenario, code_of

_LOCK_ROBOT = text("SELECT 1 FROM robots WHERE id = :id FOR UPDATE")
_INSERT_COMMAND = text("""
    INSERT INTO robot_commands (id, robot_id, type, payload, status, attempt, created_at)
    VALUES (gen_random_uuid(), :id, 'DOCK', '{}', 'QUEUED', 0, now()) RETURNING id, status
""")


def _stop(scenario: Scenario) -> Any:
    answer = scenario.call(scenario.librarian, "POST", "/robot/emergency-stop", json={})
    return answer.json()["data"]


def _resume(scenario: Scenario, path: str = "", expect: int = 200) -> Any:
    body = {"reason": "All clear"}
    return scenario.call(scenario.librarian, "POST", f"/robot/resume{path}", expect, json=body)


def _is_marked_stopped(robot: Bridge) -> bool:
    """Whether the robot's row has followed the latch."""
    statement = text("SELECT stopped_at IS NOT NULL FROM robots WHERE id = :id")
    with database.reading_engine().connect() as connection:
        return bool(connection.execute(statement, {"id": robot.id}).scalar_one())


@pytest.fixture
def fleet(scenario: Scenario) -> list[Bridge]:
    """Four robots, the scenario's own first."""
    added = [catalogue.add_robot(scenario.api, f"luna-bot-{number}") for number in range(2, 5)]
    return [scenario.robot, *added]


def _lock(connection: Connection, robot: Bridge) -> None:
    connection.execute(_LOCK_ROBOT, {"id": robot.id})


def _seconds_of_stop(scenario: Scenario, fleet: list[Bridge], version: int) -> float:
    """Stop the fleet while its bridges poll; the seconds until the answer and all orders."""
    with ThreadPoolExecutor(len(fleet)) as pool:
        path = f"/stop?after={version}&wait=20"
        polls = [pool.submit(robot.call, "GET", path) for robot in fleet]
        event_runner.wait_until(lambda: LONG_POLLS.waiting >= len(fleet))
        began = time.monotonic()
        stopped = _stop(scenario)
        orders = [poll.result(timeout=60).json()["data"] for poll in polls]
        took = time.monotonic() - began
    assert [order["stopped"] for order in orders] == [True] * len(fleet)
    assert {each["id"] for each in stopped["robots"]} == {str(robot.id) for robot in fleet}
    return took


def test_fleet_stop_reaches_every_bridge_within_100_ms_while_a_robot_row_is_locked(
    scenario: Scenario, fleet: list[Bridge], owner: Engine
) -> None:
    """The fastest of ten, since the machine does other work; waiting for the row would slow all."""
    with owner.begin() as other:
        _lock(other, fleet[1])
        fastest = float("inf")
        for attempt in range(10):
            fastest = min(fastest, _seconds_of_stop(scenario, fleet, 2 * attempt))
            if fastest < 0.1:
                break
            _resume(scenario)
        assert fastest < 0.1
        event_runner.wait_until(lambda: _is_marked_stopped(fleet[0]))
        assert not _is_marked_stopped(fleet[1])
        seen = scenario.get(scenario.librarian, "/robot/status")
        assert [robot["stopped"] for robot in seen] == [True] * len(fleet)
    event_runner.wait_until(lambda: _is_marked_stopped(fleet[1]))


def test_stop_does_not_wait_for_opposite_lock_orders(
    scenario: Scenario, fleet: list[Bridge], owner: Engine
) -> None:
    with owner.begin() as first, owner.begin() as second:
        _lock(first, fleet[3])
        _lock(second, fleet[0])
        began = time.monotonic()
        for robot in (fleet[0], fleet[3], None):
            path = f"/robot/emergency-stop/{robot.id}" if robot else "/robot/emergency-stop"
            scenario.call(scenario.librarian, "POST", path)
        assert time.monotonic() - began < 6  # a lock is waited for 3 s
    event_runner.wait_until(lambda: all(_is_marked_stopped(robot) for robot in fleet))


def test_stop_does_not_wait_for_the_row_of_its_user(scenario: Scenario, owner: Engine) -> None:
    with owner.begin() as other:
        user = {"id": scenario.librarian.id}
        other.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), user)
        with ThreadPoolExecutor(1) as pool:
            poll = pool.submit(scenario.robot.call, "GET", "/stop?after=0&wait=20")
            pool_of_staff = ThreadPoolExecutor(1)
            answered = pool_of_staff.submit(_stop, scenario)
            assert poll.result(timeout=60).json()["data"]["stopped"] is True
    answered.result(timeout=60)
    pool_of_staff.shutdown()


async def _follow_nothing() -> None:
    """Leave the rows as they are: another transaction may hold them for long."""


@pytest.mark.parametrize("kind", ["RECEIVED", "MOTION_STOPPED"])
def test_confirmation_that_overtakes_the_robots_row_is_recorded(
    scenario: Scenario, owner: Engine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    robot, tries = scenario.robot, []
    confirm = emergency_stop.confirm

    def note(*given: Any) -> int | None:
        tries.append(confirm(*given))
        return tries[-1]

    monkeypatch.setattr(emergency_stop, "confirm", note)
    with ThreadPoolExecutor(1) as pool:
        with owner.begin() as holding:
            _lock(holding, robot)  # as `follow_latches` or a heartbeat does
            version = _stop(scenario)["stop_version"]
            body = {"stop_version": version, "type": kind}
            report = pool.submit(robot.call, "POST", "/stop/events", json=body)
            event_runner.wait_until(lambda: bool(tries))
        assert report.result().json()["data"] == {"stop_version": version}
    assert (tries[0], tries[-1]) == (None, version)
    status = scenario.get(scenario.librarian, f"/robot/status/{robot.id}")
    assert status["stop_state"] == kind
    assert scenario.run_events().count("robot.stop.confirmed") == (kind == "MOTION_STOPPED")


def test_bridge_confirms_again_while_the_robots_row_is_locked(
    scenario: Scenario, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_orders, "_CONFIRM_PAUSES", (0.0, 0.01))
    robot = scenario.robot
    with owner.begin() as holding:
        _lock(holding, robot)
        body = {"stop_version": _stop(scenario)["stop_version"], "type": "RECEIVED"}
        refused = robot.call("POST", "/stop/events", json=body)
    assert (refused.status_code, code_of(refused)) == (503, "SERVICE_UNAVAILABLE")
    event_runner.wait_until(lambda: _is_marked_stopped(robot))
    assert robot.call("POST", "/stop/events", json=body).status_code == 200
    status = scenario.get(scenario.librarian, f"/robot/status/{robot.id}")
    assert status["stop_state"] == "RECEIVED"


def test_command_created_during_a_stop_is_never_leased(
    scenario: Scenario, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(stop_orders, "follow_latches", _follow_nothing)
        with owner.begin() as other:
            row = other.execute(_INSERT_COMMAND, {"id": scenario.robot.id}).one()
            assert row.status == "QUEUED"
            _stop(scenario)
        assert scenario.robot.next_command() is None
        _resume(scenario)
        assert scenario.robot.next_command() is None
        assert _statuses(owner) == ["QUEUED"]
    event_runner.wait_until(lambda: _statuses(owner) == ["VOID"])


def _statuses(owner: Engine) -> list[str]:
    with owner.connect() as connection:
        return list(connection.scalars(text("SELECT status FROM robot_commands")))


def test_database_voids_a_command_of_a_stopped_robot(scenario: Scenario, owner: Engine) -> None:
    _stop(scenario)
    with owner.begin() as other:
        assert other.execute(_INSERT_COMMAND, {"id": scenario.robot.id}).one().status == "VOID"


def test_dispatcher_skips_a_robot_that_is_stopped_but_not_marked(
    scenario: Scenario, owner: Engine
) -> None:
    with owner.begin() as other:
        _lock(other, scenario.robot)
        _stop(scenario)
        scenario.request_delivery()
        scenario.run_events()
        assert scenario.state == "QUEUED"


def test_fleet_stop_is_one_event_and_one_notification_for_each_member_of_staff(
    scenario: Scenario, fleet: list[Bridge]
) -> None:
    _stop(scenario)
    assert scenario.run_events().count("robot.stop.requested") == 1
    titles = [each["title"] for each in scenario.get(scenario.librarian, "/notifications")]
    assert titles.count("Emergency stop") == 1


def test_robot_is_not_resumed_while_the_fleet_is_stopped(
    scenario: Scenario, fleet: list[Bridge]
) -> None:
    _stop(scenario)
    refused = _resume(scenario, f"/{fleet[0].id}", 409)
    assert code_of(refused) == "ROBOT_STOPPED"
    assert scenario.robot.heartbeat().json()["data"]["desired"] == "STOP"


def test_resume_of_a_fleet_that_is_not_stopped_changes_nothing(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    assert _resume(scenario).json()["data"] == {"robots": []}
    assert scenario.robot.next_command()["type"] == "NAVIGATE"
