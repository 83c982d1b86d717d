"""Heartbeats: who is heard, who is silent, and what is not believed."""

from datetime import timedelta

import pytest

from backend.shared.infra import redis
from tests import event_runner
from tests.scenario import Scenario


def _look(scenario: Scenario) -> str:
    event_runner.run_periodic("robot.connectivity")
    return str(
        scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")["connectivity"]
    )


def test_a_silent_robot_is_stale_then_offline_and_a_heartbeat_brings_it_back(
    scenario: Scenario,
) -> None:
    assert _look(scenario) == "ONLINE"
    scenario.advance_seconds(8)
    assert _look(scenario) == "ONLINE"
    scenario.advance_seconds(3)
    assert _look(scenario) == "STALE"
    scenario.advance_seconds(5)
    assert _look(scenario) == "OFFLINE"
    scenario.robot.heartbeat()
    assert _look(scenario) == "ONLINE"
    told = scenario.run_events()
    assert "robot.went_offline" in told
    assert told.count("robot.came_online") == 2


def test_silence_counts_only_while_luna_could_hear(scenario: Scenario) -> None:
    assert _look(scenario) == "ONLINE"
    event_runner.advance_clock(timedelta(seconds=60))  # no part was alive meanwhile
    assert _look(scenario) == "ONLINE"
    scenario.advance_seconds(9)
    assert _look(scenario) == "ONLINE"
    scenario.advance_seconds(7)
    assert _look(scenario) == "OFFLINE"


def test_a_redis_that_forgot_what_robots_said_declares_nobody_lost(scenario: Scenario) -> None:
    assert _look(scenario) == "ONLINE"
    scenario.advance_seconds(14)
    redis.client().flushdb()
    scenario.advance_seconds(2)
    assert _look(scenario) == "ONLINE"


def test_a_battery_jump_that_physics_forbids_is_ignored_and_flagged(scenario: Scenario) -> None:
    scenario.robot.heartbeat(battery=0.2)
    seen = scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")
    assert seen["battery_level"] == pytest.approx(0.9)
    errors = scenario.get(scenario.librarian, f"/robot/robots/{scenario.robot.id}/errors")
    assert [error["type"] for error in errors] == ["BATTERY_JUMP"]
    scenario.robot.heartbeat(battery=0.85)
    seen = scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")
    assert seen["battery_level"] == pytest.approx(0.85)


def test_an_error_is_kept_once_a_minute_and_a_grave_one_takes_the_robot_out(
    scenario: Scenario,
) -> None:
    broken = [{"type": "LIDAR", "level": "CRITICAL", "message": "no scan"}]
    for _ in range(3):
        scenario.robot.heartbeat(errors=broken)
    errors = scenario.get(scenario.librarian, f"/robot/robots/{scenario.robot.id}/errors")
    assert [error["message"] for error in errors] == ["no scan"]
    path = f"/robot/status/{scenario.robot.id}"
    assert scenario.get(scenario.librarian, path)["status"] == "ERROR"
    scenario.robot.heartbeat()
    assert scenario.get(scenario.librarian, path)["status"] == "IDLE"


def test_a_heartbeat_may_hold_fields_that_luna_does_not_know(scenario: Scenario) -> None:
    assert scenario.robot.heartbeat(colour="blue").status_code == 200


@pytest.mark.parametrize("wrong", [{"battery": 1.5}, {"pose": {"x": "here"}}, {"seq": -1}])
def test_a_heartbeat_that_makes_no_sense_is_refused(
    scenario: Scenario, wrong: dict[str, object]
) -> None:
    assert scenario.robot.heartbeat(**wrong).status_code == 422


def test_a_heartbeat_that_was_overtaken_does_not_set_the_robot_back(scenario: Scenario) -> None:
    scenario.robot.at = "Circulation Desk"
    scenario.robot.heartbeat()
    late = {"seq": 1, "waypoint": "Dock 1"}
    assert scenario.robot.heartbeat(**late).status_code == 200
    seen = scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")
    assert seen["current_location"] == "Circulation Desk"
