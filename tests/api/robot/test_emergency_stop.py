"""Emergency stop and resume (robot-protocol.md §4)."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import redis
from tests import event_runner
from tests.factories import catalogue, users
from tests.factories.catalogue import Bridge
from tests.scenario import Scenario, check_invariants, code_of


def _stop(scenario: Scenario, robot: Bridge | None = None) -> Any:
    path = "/robot/emergency-stop" + (f"/{robot.id}" if robot else "")
    return scenario.call(scenario.librarian, "POST", path, json={"reason": "A child"}).json()[
        "data"
    ]


def _resume(scenario: Scenario, robot: Bridge | None = None) -> Any:
    path = "/robot/resume" + (f"/{robot.id}" if robot else "")
    return scenario.call(scenario.librarian, "POST", path, json={"reason": "All clear"}).json()[
        "data"
    ]


def _status(scenario: Scenario, robot: Bridge) -> Any:
    return scenario.get(scenario.librarian, f"/robot/status/{robot.id}")


def test_stop_voids_commands_and_task_keeps_its_stage(scenario: Scenario) -> None:
    scenario.until_departed()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "ACCEPTED")
    stopped = _stop(scenario)
    assert stopped["robots"] == [{"id": str(scenario.robot.id), "state": "REQUESTED"}]
    assert code_of(scenario.robot.report(drive, "PROGRESS")) == "LEASE_LOST"
    assert scenario.robot.next_command() is None
    response = scenario.robot.heartbeat().json()["data"]
    assert (response["desired"], response["stop_version"]) == ("STOP", stopped["stop_version"])
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    event_runner.run_periodic("robot.pending_commands")
    scenario.run_events()
    assert scenario.robot.next_command() is None
    _resume(scenario)
    assert scenario.robot.heartbeat().json()["data"]["desired"] == "RUN"
    again = scenario.wait_for_command()
    assert again["id"] != drive["id"]
    assert again["payload"]["waypoint"]["name"] == "Study Room 201"
    assert again["payload"]["loading_proof_id"] == drive["payload"]["loading_proof_id"]


def _while_waiting(call: Callable[[], Any], act: Callable[[], Any]) -> tuple[Any, float]:
    """The response to the long poll after `act`, and the seconds between both."""
    from backend.robot.bridge_protocol.long_poll import LONG_POLLS

    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(call)
        ready = threading.Event()
        while not LONG_POLLS.waiting and not poll.done():  # done: it did not wait
            ready.wait(0.005)
        act()
        done = time.monotonic()
        answer = poll.result(timeout=60)
        return answer.json()["data"], time.monotonic() - done


@pytest.mark.parametrize("redis_is_intact", [True, False])
def test_stop_poll_returns_at_once(scenario: Scenario, redis_is_intact: bool) -> None:  # noqa: FBT001 (a case)
    if not redis_is_intact:
        redis.client().flushall()
    order, took = _while_waiting(
        lambda: scenario.robot.call("GET", "/stop?after=0&wait=20"), lambda: _stop(scenario)
    )
    assert order["stopped"] is True
    assert order["reason"] == "A child"
    assert took < 10  # of the 20 s that it would wait
    after = order["stop_version"]
    order, took = _while_waiting(
        lambda: scenario.robot.call("GET", f"/stop?after={after}&wait=20"),
        lambda: _resume(scenario),
    )
    assert order["stopped"] is False
    assert order["stop_version"] > after


def test_stop_poll_after_the_stop_returns_at_once(scenario: Scenario) -> None:
    version = _stop(scenario)["stop_version"]
    order = scenario.robot.call("GET", "/stop?after=0&wait=20").json()["data"]
    assert (order["stopped"], order["stop_version"]) == (True, version)


def test_bridge_confirms_stop_and_standstill(
    scenario: Scenario,
) -> None:
    version = _stop(scenario)["stop_version"]
    for kind in ("RECEIVED", "MOTION_STOPPED", "MOTION_STOPPED"):
        answer = scenario.robot.call(
            "POST", "/stop/events", json={"stop_version": version, "type": kind}
        )
        assert answer.json()["data"] == {"stop_version": version}
        assert _status(scenario, scenario.robot)["stop_state"] == kind
    assert scenario.run_events().count("robot.stop.confirmed") == 1


def test_confirmation_of_older_stop_has_no_effect(scenario: Scenario) -> None:
    old = _stop(scenario)["stop_version"]
    new = _stop(scenario)["stop_version"]
    body = {"stop_version": old, "type": "MOTION_STOPPED"}
    assert (
        scenario.robot.call("POST", "/stop/events", json=body).json()["data"]["stop_version"] == new
    )
    assert _status(scenario, scenario.robot)["stop_state"] == "REQUESTED"


def test_staff_are_alerted_once_about_unconfirmed_stop(scenario: Scenario, owner: Engine) -> None:
    _stop(scenario)
    event_runner.advance_clock(timedelta(seconds=2.5))
    statement = "SELECT count(*) FROM outbox WHERE event_type = 'robot.stop.unconfirmed'"
    event_runner.wait_until(
        lambda: _count(owner, statement) == 1
    )  # checked by the service, not by the worker
    scenario.run_events()
    titles = [each["title"] for each in scenario.get(scenario.librarian, "/notifications")]
    assert any("stop" in title.lower() for title in titles)
    assert _count(owner, statement) == 1


def test_unconfirmed_stop_of_the_fleet_notifies_each_member_of_staff_once(
    scenario: Scenario, owner: Engine
) -> None:
    for number in range(2, 5):
        catalogue.add_robot(scenario.api, f"luna-bot-{number}")
    _stop(scenario)
    event_runner.advance_clock(timedelta(seconds=2.5))
    late = "SELECT count(*) FROM robots WHERE stop_alerted_at IS NOT NULL"
    event_runner.wait_until(lambda: _count(owner, late) == 4)
    scenario.run_events()
    titles = [each["title"] for each in scenario.get(scenario.librarian, "/notifications")]
    assert titles.count("A robot may still be moving") == 1


def _count(owner: Engine, statement: str) -> int:
    with owner.connect() as connection:
        return int(connection.scalar(text(statement)) or 0)


def test_fleet_resume_keeps_individually_stopped_robot_stopped(scenario: Scenario) -> None:
    second = catalogue.add_robot(scenario.api, "luna-bot-2")
    _stop(scenario, scenario.robot)
    assert _status(scenario, second)["stopped"] is False
    _stop(scenario)
    assert _resume(scenario)["robots"] == [str(second.id)]
    assert _status(scenario, scenario.robot)["stopped"] is True
    assert _status(scenario, second)["stopped"] is False
    assert _resume(scenario, scenario.robot)["robots"] == [str(scenario.robot.id)]


def test_robot_registered_during_fleet_stop_is_stopped(scenario: Scenario) -> None:
    _stop(scenario)
    added = catalogue.add_robot(scenario.api, "luna-bot-2")
    assert added.heartbeat().json()["data"]["desired"] == "STOP"
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.state == "QUEUED"
    _resume(scenario)
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"


def test_robot_never_seen_is_unreachable(scenario: Scenario) -> None:
    body = {"robot_name": "luna-bot-9"}
    made = scenario.call(users.admin(), "POST", "/robot/robots", 201, json=body).json()["data"]
    states = {each["id"]: each["state"] for each in _stop(scenario)["robots"]}
    assert states[made["id"]] == "UNREACHABLE"


def test_resume_requires_a_reason_and_stop_does_not(scenario: Scenario) -> None:
    scenario.call(scenario.librarian, "POST", "/robot/emergency-stop")
    scenario.call(scenario.librarian, "POST", "/robot/resume", 422, json={})
    scenario.call(scenario.student, "POST", "/robot/emergency-stop", 403)
    assert _status(scenario, scenario.robot)["stopped"] is True


def test_stop_and_resume_are_audited(scenario: Scenario, owner: Engine) -> None:
    _stop(scenario, scenario.robot)
    _resume(scenario, scenario.robot)
    statement = "SELECT action, user_id FROM audit_logs WHERE action LIKE 'robot.%' ORDER BY id"
    with owner.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(statement))][-2:]
    assert rows == [("robot.stop", scenario.librarian.id), ("robot.resume", scenario.librarian.id)]


def test_stopped_robot_receives_no_move_command_after_loading(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    _stop(scenario)
    scenario.as_librarian("book-placed")
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    check_invariants(owner)  # among the invariants: a stopped robot is response nothing
    with owner.connect() as connection:
        waiting = text("SELECT count(*) FROM robot_commands WHERE status = 'QUEUED'")
        assert connection.scalar(waiting) == 0
    _resume(scenario)
    assert scenario.wait_for_command()["payload"]["task"]["stage"] == "TO_DESTINATION"
