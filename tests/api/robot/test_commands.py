"""Commands as a bridge meets them: leased, fenced, reported once (robot-protocol.md §3)."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Scenario, code_of


def _status(owner: Engine, command: Any) -> str:
    question = text("SELECT status FROM robot_commands WHERE id = :id")
    with owner.connect() as connection:
        return str(connection.scalar(question, {"id": command["id"]}))


@pytest.fixture
def told(scenario: Scenario) -> Any:
    """The robot's command to drive to the desk."""
    scenario.request_delivery()
    scenario.run_events()
    return scenario.robot.next_command()


def test_a_command_is_leased_to_one_poll_alone(scenario: Scenario, told: Any) -> None:
    assert told["type"] == "NAVIGATE"
    assert [place["name"] for place in told["payload"]["route"]] == ["Dock 1", "Circulation Desk"]
    assert told["payload"]["task"]["stage"] == "TO_SOURCE"
    assert told["attempt"] == 1
    assert scenario.robot.next_command() is None


def test_the_same_report_again_gets_the_first_answer(scenario: Scenario, told: Any) -> None:
    first = scenario.robot.report(told, "ACCEPTED").json()["data"]
    scenario.robot.report(told, "STARTED")
    scenario.robot.reports[told["id"]] = 0
    assert scenario.robot.report(told, "ACCEPTED").json()["data"] == first
    assert first["status"] == "ACCEPTED"


def test_another_report_under_the_same_number_is_refused(scenario: Scenario, told: Any) -> None:
    scenario.robot.report(told, "ACCEPTED")
    scenario.robot.reports[told["id"]] = 0
    refused = scenario.robot.report(told, "FAILED")
    assert (refused.status_code, code_of(refused)) == (409, "CONFLICT")


def test_a_token_that_is_not_the_latest_has_lost_the_lease(
    scenario: Scenario, told: Any, owner: Engine
) -> None:
    stale = {**told, "lease_token": told["lease_token"] - 1}
    refused = scenario.robot.report(stale, "STARTED")
    assert (refused.status_code, code_of(refused)) == (409, "LEASE_LOST")
    assert _status(owner, told) == "LEASED"


def test_another_robots_command_is_not_there(scenario: Scenario, told: Any) -> None:
    other = catalogue.add_robot(scenario.api, "luna-bot-2")
    refused = other.report(told, "SUCCEEDED")
    assert (refused.status_code, code_of(refused)) == (404, "NOT_FOUND")
    assert scenario.state == "ASSIGNED/TO_SOURCE"


def test_a_lease_that_lapses_before_the_start_goes_back_three_times_then_fails(
    scenario: Scenario, told: Any, owner: Engine
) -> None:
    tokens = [told["lease_token"]]
    for _ in range(2):
        scenario.advance_seconds(16)
        event_runner.run_periodic("robot.leases")
        assert _status(owner, told) == "QUEUED"
        again = scenario.robot.next_command()
        assert again["id"] == told["id"]
        tokens.append(again["lease_token"])
    assert tokens == sorted(set(tokens))
    assert code_of(scenario.robot.report(told, "STARTED")) == "LEASE_LOST"
    scenario.advance_seconds(16)
    event_runner.run_periodic("robot.leases")
    assert _status(owner, told) == "FAILED"
    scenario.robot.heartbeat()
    scenario.run_events()  # the journey asks anew
    assert scenario.robot.next_command()["id"] != told["id"]


@pytest.fixture
def lost(scenario: Scenario, told: Any, owner: Engine) -> Any:
    """The command, whose lease ran out while the robot was driving."""
    scenario.robot.report(told, "ACCEPTED")
    scenario.robot.report(told, "STARTED")
    scenario.robot.at = None
    scenario.advance_seconds(14)
    scenario.robot.heartbeat()
    scenario.advance_seconds(2)
    event_runner.run_periodic("robot.leases")
    assert _status(owner, told) == "UNKNOWN"
    assert scenario.robot.next_command() is None  # never sent again blindly
    return told


def test_an_unknown_command_that_the_robot_names_is_under_way(
    scenario: Scenario, lost: Any, owner: Engine
) -> None:
    scenario.robot.heartbeat(active_command=lost["id"])
    assert _status(owner, lost) == "STARTED"


def test_an_unknown_command_whose_robot_stands_at_the_target_is_done(
    scenario: Scenario, lost: Any, owner: Engine
) -> None:
    scenario.robot.at = "Circulation Desk"
    scenario.robot.heartbeat()
    assert _status(owner, lost) == "SUCCEEDED"
    scenario.run_events()
    assert scenario.state == "ASSIGNED/LOADING"


def test_an_unknown_command_of_which_the_robot_knows_nothing_is_asked_again(
    scenario: Scenario, lost: Any, owner: Engine
) -> None:
    scenario.robot.at = "Dock 1"
    scenario.robot.heartbeat()
    assert _status(owner, lost) == "VOID"
    again = scenario.robot.next_command()
    assert again["id"] != lost["id"]
    assert again["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert code_of(scenario.robot.report(lost, "SUCCEEDED")) == "LEASE_LOST"


def test_a_heartbeat_that_names_the_command_renews_its_lease(
    scenario: Scenario, told: Any, owner: Engine
) -> None:
    scenario.robot.report(told, "ACCEPTED")
    scenario.robot.report(told, "STARTED")
    for _ in range(3):
        scenario.advance_seconds(8)
        scenario.robot.heartbeat(active_command=told["id"])
        event_runner.run_periodic("robot.leases")
    assert _status(owner, told) == "STARTED"


def test_an_older_session_is_refused_everywhere(scenario: Scenario, told: Any) -> None:
    old = scenario.robot.epoch
    scenario.robot.open_session()
    stale_beat = scenario.robot.heartbeat(epoch=old)
    assert (stale_beat.status_code, code_of(stale_beat)) == (409, "STALE_EPOCH")
    stale_poll = scenario.robot.call("GET", f"/commands/next?epoch={old}&wait=0")
    assert (stale_poll.status_code, code_of(stale_poll)) == (409, "STALE_EPOCH")
    assert code_of(scenario.robot.report(told, "STARTED")) == "LEASE_LOST"
    assert scenario.robot.next_command()["id"] == told["id"]  # the newest session has it


def test_a_long_poll_without_a_command_ends_with_null(scenario: Scenario) -> None:
    answer = scenario.robot.call("GET", f"/commands/next?epoch={scenario.robot.epoch}&wait=0.1")
    assert answer.json()["success"] is True
    assert answer.json()["data"] is None
    assert scenario.robot.call("GET", "/stop?after=0&wait=0.1").json()["data"] is None


def test_an_event_of_an_older_drive_changes_nothing(scenario: Scenario, told: Any) -> None:
    scenario.robot.report(told, "FAILED", message="blocked")
    failed = _envelope(scenario, "robot.command.failed")
    scenario.run_events()
    scenario.drive_robot()
    assert scenario.state == "ASSIGNED/LOADING"
    event_runner.redeliver(failed)
    assert scenario.state == "ASSIGNED/LOADING"
    assert scenario.robot.next_command() is None


def _envelope(scenario: Scenario, event_type: str) -> dict[str, Any]:
    return next(each for each in event_runner.pending_events() if each["eventType"] == event_type)
