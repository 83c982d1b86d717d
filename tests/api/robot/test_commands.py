"""Commands as a bridge meets them: leased, fenced, reported once (robot-protocol.md §3)."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Story, code_of


def _status(owner: Engine, command: Any) -> str:
    question = text("SELECT status FROM robot_commands WHERE id = :id")
    with owner.connect() as connection:
        return str(connection.scalar(question, {"id": command["id"]}))


@pytest.fixture
def told(tale: Story) -> Any:
    """The robot's command to drive to the desk."""
    tale.ask()
    tale.run()
    return tale.robot.next()


def test_a_command_is_leased_to_one_poll_alone(tale: Story, told: Any) -> None:
    assert told["type"] == "NAVIGATE"
    assert [place["name"] for place in told["payload"]["route"]] == ["Dock 1", "Circulation Desk"]
    assert told["payload"]["task"]["stage"] == "TO_SOURCE"
    assert told["attempt"] == 1
    assert tale.robot.next() is None


def test_the_same_report_again_gets_the_first_answer(tale: Story, told: Any) -> None:
    first = tale.robot.report(told, "ACCEPTED").json()["data"]
    tale.robot.report(told, "STARTED")
    tale.robot.reports[told["id"]] = 0
    assert tale.robot.report(told, "ACCEPTED").json()["data"] == first
    assert first["status"] == "ACCEPTED"


def test_another_report_under_the_same_number_is_refused(tale: Story, told: Any) -> None:
    tale.robot.report(told, "ACCEPTED")
    tale.robot.reports[told["id"]] = 0
    refused = tale.robot.report(told, "FAILED")
    assert (refused.status_code, code_of(refused)) == (409, "CONFLICT")


def test_a_token_that_is_not_the_latest_has_lost_the_lease(
    tale: Story, told: Any, owner: Engine
) -> None:
    stale = {**told, "lease_token": told["lease_token"] - 1}
    refused = tale.robot.report(stale, "STARTED")
    assert (refused.status_code, code_of(refused)) == (409, "LEASE_LOST")
    assert _status(owner, told) == "LEASED"


def test_another_robots_command_is_not_there(tale: Story, told: Any) -> None:
    other = catalogue.add_robot(tale.api, "luna-bot-2")
    refused = other.report(told, "SUCCEEDED")
    assert (refused.status_code, code_of(refused)) == (404, "NOT_FOUND")
    assert tale.state == "ASSIGNED/TO_SOURCE"


def test_a_lease_that_lapses_before_the_start_goes_back_three_times_then_fails(
    tale: Story, told: Any, owner: Engine
) -> None:
    tokens = [told["lease_token"]]
    for _ in range(2):
        tale.let_pass(16)
        event_runner.run_periodic("robot.leases")
        assert _status(owner, told) == "QUEUED"
        again = tale.robot.next()
        assert again["id"] == told["id"]
        tokens.append(again["lease_token"])
    assert tokens == sorted(set(tokens))
    assert code_of(tale.robot.report(told, "STARTED")) == "LEASE_LOST"
    tale.let_pass(16)
    event_runner.run_periodic("robot.leases")
    assert _status(owner, told) == "FAILED"
    tale.robot.beat()
    tale.run()  # the journey asks anew
    assert tale.robot.next()["id"] != told["id"]


@pytest.fixture
def lost(tale: Story, told: Any, owner: Engine) -> Any:
    """The command, whose lease ran out while the robot was driving."""
    tale.robot.report(told, "ACCEPTED")
    tale.robot.report(told, "STARTED")
    tale.robot.at = None
    tale.let_pass(14)
    tale.robot.beat()
    tale.let_pass(2)
    event_runner.run_periodic("robot.leases")
    assert _status(owner, told) == "UNKNOWN"
    assert tale.robot.next() is None  # never sent again blindly
    return told


def test_an_unknown_command_that_the_robot_names_is_under_way(
    tale: Story, lost: Any, owner: Engine
) -> None:
    tale.robot.beat(active_command=lost["id"])
    assert _status(owner, lost) == "STARTED"


def test_an_unknown_command_whose_robot_stands_at_the_target_is_done(
    tale: Story, lost: Any, owner: Engine
) -> None:
    tale.robot.at = "Circulation Desk"
    tale.robot.beat()
    assert _status(owner, lost) == "SUCCEEDED"
    tale.run()
    assert tale.state == "ASSIGNED/LOADING"


def test_an_unknown_command_of_which_the_robot_knows_nothing_is_asked_again(
    tale: Story, lost: Any, owner: Engine
) -> None:
    tale.robot.at = "Dock 1"
    tale.robot.beat()
    assert _status(owner, lost) == "VOID"
    again = tale.robot.next()
    assert again["id"] != lost["id"]
    assert again["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert code_of(tale.robot.report(lost, "SUCCEEDED")) == "LEASE_LOST"


def test_a_heartbeat_that_names_the_command_renews_its_lease(
    tale: Story, told: Any, owner: Engine
) -> None:
    tale.robot.report(told, "ACCEPTED")
    tale.robot.report(told, "STARTED")
    for _ in range(3):
        tale.let_pass(8)
        tale.robot.beat(active_command=told["id"])
        event_runner.run_periodic("robot.leases")
    assert _status(owner, told) == "STARTED"


def test_an_older_session_is_refused_everywhere(tale: Story, told: Any) -> None:
    old = tale.robot.epoch
    tale.robot.begin()
    stale_beat = tale.robot.beat(epoch=old)
    assert (stale_beat.status_code, code_of(stale_beat)) == (409, "STALE_EPOCH")
    stale_poll = tale.robot.call("GET", f"/commands/next?epoch={old}&wait=0")
    assert (stale_poll.status_code, code_of(stale_poll)) == (409, "STALE_EPOCH")
    assert code_of(tale.robot.report(told, "STARTED")) == "LEASE_LOST"
    assert tale.robot.next()["id"] == told["id"]  # the newest session has it


def test_a_long_poll_without_a_command_ends_with_null(tale: Story) -> None:
    answer = tale.robot.call("GET", f"/commands/next?epoch={tale.robot.epoch}&wait=0.1")
    assert answer.json()["success"] is True
    assert answer.json()["data"] is None
    assert tale.robot.call("GET", "/stop?after=0&wait=0.1").json()["data"] is None


def test_an_event_of_an_older_drive_changes_nothing(tale: Story, told: Any) -> None:
    tale.robot.report(told, "FAILED", message="blocked")
    failed = _envelope(tale, "robot.command.failed")
    tale.run()
    tale.drive()
    assert tale.state == "ASSIGNED/LOADING"
    event_runner.redeliver(failed)
    assert tale.state == "ASSIGNED/LOADING"
    assert tale.robot.next() is None


def _envelope(tale: Story, event_type: str) -> dict[str, Any]:
    return next(each for each in event_runner.waiting() if each["eventType"] == event_type)
