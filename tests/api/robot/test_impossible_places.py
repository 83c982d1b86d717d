"""A robot that reports a place where it can't be moves no task and departs with no book."""

from typing import Any

import pytest

from tests import event_runner
from tests.scenario import Scenario, code_of

NOWHERE = {"x": 900.0, "y": 900.0, "theta": 0.0, "floor": 1}
OTHER_FLOOR = {"x": 10.0, "y": 0.0, "theta": 0.0, "floor": 9}


@pytest.fixture
def started(scenario: Scenario) -> Any:
    """The command that sends the robot to the desk, started."""
    scenario.request_delivery()
    scenario.run_events()
    command = scenario.robot.next_command()
    for kind in ("ACCEPTED", "STARTED"):
        scenario.robot.report(command, kind)
    return command


@pytest.mark.parametrize("pose", [NOWHERE, OTHER_FLOOR])
def test_arrival_away_from_the_target_leaves_the_task_where_it_is(
    scenario: Scenario, started: Any, pose: Any
) -> None:
    scenario.robot.report(started, "ARRIVED", pose=pose)
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"


@pytest.mark.parametrize("pose", [NOWHERE, OTHER_FLOOR])
def test_heartbeat_that_names_the_target_from_elsewhere_is_not_an_arrival(
    scenario: Scenario, started: Any, pose: Any
) -> None:
    scenario.robot.at = None
    scenario.advance_seconds(16)
    event_runner.run_periodic("robot.leases")  # the command is UNKNOWN: a heartbeat decides
    scenario.robot.heartbeat(waypoint="Circulation Desk", pose=pose)
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"


@pytest.mark.parametrize("pose", [NOWHERE, OTHER_FLOOR])
def test_idle_robot_that_is_nowhere_gets_no_task_and_staff_are_told(
    scenario: Scenario, pose: Any
) -> None:
    scenario.robot.heartbeat(pose=pose, waypoint="Circulation Desk")
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.state == "QUEUED"
    assert scenario.robot.next_command() is None
    (alert,) = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
    assert (alert["kind"], "OFF_THE_MAP" in alert["message"]) == ("ROBOT_ERROR", True)
    scenario.robot.heartbeat()
    scenario.robot.heartbeat(docked=True)
    event_runner.run_periodic("robot.dispatch_sweep")
    assert scenario.state == "ASSIGNED/TO_SOURCE"


@pytest.mark.parametrize("pose", [NOWHERE, OTHER_FLOOR])
def test_docked_robot_that_is_nowhere_is_not_told_to_undock(scenario: Scenario, pose: Any) -> None:
    scenario.robot.heartbeat(docked=True)
    scenario.request_delivery()
    scenario.run_events()
    undock = scenario.robot.next_command()
    assert undock["type"] == "UNDOCK"
    for kind in ("ACCEPTED", "STARTED", "FAILED"):
        scenario.robot.report(undock, kind, pose=pose)
    scenario.run_events()
    assert scenario.robot.next_command() is None
    scenario.robot.heartbeat()
    scenario.robot.heartbeat(docked=True)
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.robot.next_command()["type"] == "UNDOCK"


@pytest.mark.parametrize(
    "pose", [{"x": 1e9, "y": 0, "floor": 1}, {"x": 0, "y": 0, "floor": 100_000}]
)
def test_heartbeat_from_outside_any_building_is_refused(scenario: Scenario, pose: Any) -> None:
    refused = scenario.robot.heartbeat(pose=pose)
    assert (refused.status_code, code_of(refused)) == (422, "VALIDATION_ERROR")


def test_session_that_is_opened_twice_by_one_boot_stays_the_same(scenario: Scenario) -> None:
    body = {"json": {"boot_id": "one boot"}}
    first = scenario.robot.call("POST", "/session", **body).json()["data"]
    again = scenario.robot.call("POST", "/session", **body).json()["data"]
    assert again["epoch"] == first["epoch"]
    other = scenario.robot.call("POST", "/session", json={"boot_id": "next boot"}).json()["data"]
    assert other["epoch"] == first["epoch"] + 1


def test_second_bridge_with_the_same_key_supersedes_the_first(
    scenario: Scenario, started: Any
) -> None:
    first_epoch = scenario.robot.epoch
    body = {"json": {"boot_id": "the second bridge"}}
    second = scenario.robot.call("POST", "/session", **body).json()["data"]
    for stale in (
        scenario.robot.heartbeat(epoch=first_epoch, active_command=started["id"]),
        scenario.robot.call("GET", f"/commands/next?epoch={first_epoch}&wait=0"),
    ):
        assert code_of(stale) == "STALE_EPOCH"
    assert code_of(scenario.robot.report(started, "ARRIVED")) == "LEASE_LOST"
    assert scenario.state == "ASSIGNED/TO_SOURCE"
    scenario.robot.epoch = second["epoch"]
    assert scenario.robot.next_command() is None  # the started drive is not sent to the second
