"""Heartbeats: who is heard, who is silent, and what is not believed."""

from datetime import timedelta

import pytest

from backend.shared.infra import redis
from tests import event_runner
from tests.scenario import Story


def _look(tale: Story) -> str:
    event_runner.run_periodic("robot.connectivity")
    return str(tale.get(tale.librarian, f"/robot/status/{tale.robot.id}")["connectivity"])


def test_a_silent_robot_is_stale_then_offline_and_a_heartbeat_brings_it_back(tale: Story) -> None:
    assert _look(tale) == "ONLINE"
    tale.let_pass(8)
    assert _look(tale) == "ONLINE"
    tale.let_pass(3)
    assert _look(tale) == "STALE"
    tale.let_pass(5)
    assert _look(tale) == "OFFLINE"
    tale.robot.beat()
    assert _look(tale) == "ONLINE"
    told = tale.run()
    assert "robot.went_offline" in told
    assert told.count("robot.came_online") == 2


def test_silence_counts_only_while_luna_could_hear(tale: Story) -> None:
    assert _look(tale) == "ONLINE"
    event_runner.move_clock(timedelta(seconds=60))  # no part was alive meanwhile
    assert _look(tale) == "ONLINE"
    tale.let_pass(9)
    assert _look(tale) == "ONLINE"
    tale.let_pass(7)
    assert _look(tale) == "OFFLINE"


def test_a_redis_that_forgot_what_robots_said_declares_nobody_lost(tale: Story) -> None:
    assert _look(tale) == "ONLINE"
    tale.let_pass(14)
    redis.client().flushdb()
    tale.let_pass(2)
    assert _look(tale) == "ONLINE"


def test_a_battery_jump_that_physics_forbids_is_ignored_and_flagged(tale: Story) -> None:
    tale.robot.beat(battery=0.2)
    seen = tale.get(tale.librarian, f"/robot/status/{tale.robot.id}")
    assert seen["battery_level"] == pytest.approx(0.9)
    errors = tale.get(tale.librarian, f"/robot/robots/{tale.robot.id}/errors")
    assert [error["type"] for error in errors] == ["BATTERY_JUMP"]
    tale.robot.beat(battery=0.85)
    seen = tale.get(tale.librarian, f"/robot/status/{tale.robot.id}")
    assert seen["battery_level"] == pytest.approx(0.85)


def test_an_error_is_kept_once_a_minute_and_a_grave_one_takes_the_robot_out(tale: Story) -> None:
    broken = [{"type": "LIDAR", "level": "CRITICAL", "message": "no scan"}]
    for _ in range(3):
        tale.robot.beat(errors=broken)
    errors = tale.get(tale.librarian, f"/robot/robots/{tale.robot.id}/errors")
    assert [error["message"] for error in errors] == ["no scan"]
    path = f"/robot/status/{tale.robot.id}"
    assert tale.get(tale.librarian, path)["status"] == "ERROR"
    tale.robot.beat()
    assert tale.get(tale.librarian, path)["status"] == "IDLE"


def test_a_heartbeat_may_hold_fields_that_luna_does_not_know(tale: Story) -> None:
    assert tale.robot.beat(colour="blue").status_code == 200


@pytest.mark.parametrize("wrong", [{"battery": 1.5}, {"pose": {"x": "here"}}, {"seq": -1}])
def test_a_heartbeat_that_makes_no_sense_is_refused(tale: Story, wrong: dict[str, object]) -> None:
    assert tale.robot.beat(**wrong).status_code == 422


def test_a_heartbeat_that_was_overtaken_does_not_set_the_robot_back(tale: Story) -> None:
    tale.robot.at = "Circulation Desk"
    tale.robot.beat()
    late = {"seq": 1, "waypoint": "Dock 1"}
    assert tale.robot.beat(**late).status_code == 200
    seen = tale.get(tale.librarian, f"/robot/status/{tale.robot.id}")
    assert seen["current_location"] == "Circulation Desk"
