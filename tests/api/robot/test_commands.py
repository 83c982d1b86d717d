"""Commands: leased, fenced by tokens, reported idempotently (robot-protocol.md §3)."""

import time
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Scenario, code_of


def _status(owner: Engine, command: Any) -> str:
    statement = text("SELECT status FROM robot_commands WHERE id = :id")
    with owner.connect() as connection:
        return str(connection.scalar(statement, {"id": command["id"]}))


@pytest.fixture
def command(scenario: Scenario) -> Any:
    """The leased command that sends the robot to the desk."""
    scenario.request_delivery()
    scenario.run_events()
    return scenario.robot.next_command()


def test_command_is_leased_to_one_poll_only(scenario: Scenario, command: Any) -> None:
    assert command["type"] == "NAVIGATE"
    assert [place["name"] for place in command["payload"]["route"]] == [
        "Dock 1",
        "Circulation Desk",
    ]
    assert command["payload"]["task"]["stage"] == "TO_SOURCE"
    assert command["attempt"] == 1
    assert scenario.robot.next_command() is None


def test_repeated_report_gets_first_response(scenario: Scenario, command: Any) -> None:
    first = scenario.robot.report(command, "ACCEPTED").json()["data"]
    scenario.robot.report(command, "STARTED")
    scenario.robot.reports[command["id"]] = 0
    assert scenario.robot.report(command, "ACCEPTED").json()["data"] == first
    assert first["status"] == "ACCEPTED"


def test_different_report_under_same_number_is_refused(scenario: Scenario, command: Any) -> None:
    scenario.robot.report(command, "ACCEPTED")
    scenario.robot.reports[command["id"]] = 0
    refused = scenario.robot.report(command, "FAILED")
    assert (refused.status_code, code_of(refused)) == (409, "CONFLICT")


def test_report_with_old_token_is_refused(scenario: Scenario, command: Any, owner: Engine) -> None:
    stale = {**command, "lease_token": command["lease_token"] - 1}
    refused = scenario.robot.report(stale, "STARTED")
    assert (refused.status_code, code_of(refused)) == (409, "LEASE_LOST")
    assert _status(owner, command) == "LEASED"


def test_command_of_another_robot_is_not_found(scenario: Scenario, command: Any) -> None:
    other = catalogue.add_robot(scenario.api, "luna-bot-2")
    refused = other.report(command, "SUCCEEDED")
    assert (refused.status_code, code_of(refused)) == (404, "NOT_FOUND")
    assert scenario.state == "ASSIGNED/TO_SOURCE"


def test_command_fails_after_three_expired_leases(
    scenario: Scenario, command: Any, owner: Engine
) -> None:
    tokens = [command["lease_token"]]
    for _ in range(2):
        scenario.advance_seconds(16)
        event_runner.run_periodic("robot.leases")
        assert _status(owner, command) == "QUEUED"
        again = scenario.robot.next_command()
        assert again["id"] == command["id"]
        tokens.append(again["lease_token"])
    assert tokens == sorted(set(tokens))
    assert code_of(scenario.robot.report(command, "STARTED")) == "LEASE_LOST"
    scenario.advance_seconds(16)
    event_runner.run_periodic("robot.leases")
    assert _status(owner, command) == "FAILED"
    scenario.robot.heartbeat()
    scenario.run_events()  # a new command is issued
    assert scenario.robot.next_command()["id"] != command["id"]


@pytest.fixture
def unknown(scenario: Scenario, command: Any, owner: Engine) -> Any:
    """The command, UNKNOWN since its lease expired during the drive."""
    scenario.robot.report(command, "ACCEPTED")
    scenario.robot.report(command, "STARTED")
    scenario.robot.at = None
    scenario.advance_seconds(14)
    scenario.robot.heartbeat()
    scenario.advance_seconds(2)
    event_runner.run_periodic("robot.leases")
    assert _status(owner, command) == "UNKNOWN"
    assert scenario.robot.next_command() is None  # never sent again blindly
    return command


def test_unknown_command_named_by_robot_becomes_started(
    scenario: Scenario, unknown: Any, owner: Engine
) -> None:
    scenario.robot.heartbeat(active_command=unknown["id"])
    assert _status(owner, unknown) == "STARTED"


def test_unknown_command_of_robot_at_target_succeeds(
    scenario: Scenario, unknown: Any, owner: Engine
) -> None:
    scenario.robot.at = "Circulation Desk"
    scenario.robot.heartbeat()
    assert _status(owner, unknown) == "SUCCEEDED"
    scenario.run_events()
    assert scenario.state == "ASSIGNED/LOADING"


def test_unknown_command_not_named_by_robot_is_issued_anew(
    scenario: Scenario, unknown: Any, owner: Engine
) -> None:
    scenario.robot.at = "Dock 1"
    limit = time.monotonic() + 30  # a heartbeat is compared with a snapshot of half a second
    while _status(owner, unknown) != "VOID":
        assert time.monotonic() < limit
        scenario.robot.heartbeat()
    again = scenario.robot.next_command()
    assert again["id"] != unknown["id"]
    assert again["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert code_of(scenario.robot.report(unknown, "SUCCEEDED")) == "LEASE_LOST"


def test_heartbeat_naming_the_command_renews_its_lease(
    scenario: Scenario, command: Any, owner: Engine
) -> None:
    scenario.robot.report(command, "ACCEPTED")
    scenario.robot.report(command, "STARTED")
    for _ in range(3):
        scenario.advance_seconds(8)
        scenario.robot.heartbeat(active_command=command["id"])
        event_runner.run_periodic("robot.leases")
    assert _status(owner, command) == "STARTED"


def test_older_session_is_refused_by_every_endpoint(scenario: Scenario, command: Any) -> None:
    old = scenario.robot.epoch
    scenario.robot.open_session()
    stale_beat = scenario.robot.heartbeat(epoch=old)
    assert (stale_beat.status_code, code_of(stale_beat)) == (409, "STALE_EPOCH")
    stale_poll = scenario.robot.call("GET", f"/commands/next?epoch={old}&wait=0")
    assert (stale_poll.status_code, code_of(stale_poll)) == (409, "STALE_EPOCH")
    assert code_of(scenario.robot.report(command, "STARTED")) == "LEASE_LOST"
    assert scenario.robot.next_command()["id"] == command["id"]  # leased to the newest session


def test_long_poll_without_command_returns_null(scenario: Scenario) -> None:
    answer = scenario.robot.call("GET", f"/commands/next?epoch={scenario.robot.epoch}&wait=0.1")
    assert answer.json()["success"] is True
    assert answer.json()["data"] is None
    assert scenario.robot.call("GET", "/stop?after=0&wait=0.1").json()["data"] is None


def test_late_event_of_older_command_changes_nothing(scenario: Scenario, command: Any) -> None:
    scenario.robot.report(command, "FAILED", message="blocked")
    failed = _envelope(scenario, "robot.command.failed")
    scenario.run_events()
    scenario.drive_robot()
    assert scenario.state == "ASSIGNED/LOADING"
    event_runner.redeliver(failed)
    assert scenario.state == "ASSIGNED/LOADING"
    assert scenario.robot.next_command() is None


def _envelope(scenario: Scenario, event_type: str) -> dict[str, Any]:
    return next(each for each in event_runner.pending_events() if each["eventType"] == event_type)


@pytest.mark.parametrize("first", ["STARTED", "PROGRESS", "ARRIVED", "SUCCEEDED"])
def test_report_that_skips_a_step_is_refused(
    scenario: Scenario, command: Any, owner: Engine, first: str
) -> None:
    refused = scenario.robot.report(command, first)
    assert (refused.status_code, code_of(refused)) == (409, "CONFLICT")
    assert _status(owner, command) == "LEASED"


@pytest.mark.parametrize("wrong", [{"x": 60.0}, {"floor": 2}])
def test_arrival_away_from_the_target_is_not_believed(
    scenario: Scenario, command: Any, owner: Engine, wrong: dict[str, float]
) -> None:
    target = command["payload"]["waypoint"]
    pose = {"x": target["x"], "y": target["y"], "floor": target["floor"], **wrong}
    for kind in ("ACCEPTED", "STARTED"):
        scenario.robot.report(command, kind)
    for kind in ("ARRIVED", "SUCCEEDED"):
        assert scenario.robot.report(command, kind, pose=pose).status_code == 200
        assert _status(owner, command) == "UNKNOWN"
    assert scenario.run_events().count("delivery.task.needs_attention") == 1
    assert scenario.state == "ASSIGNED/TO_SOURCE"


@pytest.mark.usefixtures("still_clock")
def test_unaccepted_command_is_leased_again_when_its_lease_ends(
    scenario: Scenario, command: Any
) -> None:
    scenario.advance_seconds(14)
    assert scenario.robot.next_command() is None
    scenario.advance_seconds(2)
    assert scenario.robot.next_command()["id"] == command["id"]
