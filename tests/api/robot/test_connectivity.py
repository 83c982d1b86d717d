"""Heartbeats and connectivity of robots (robot-protocol.md §2)."""

import json
import threading
import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from backend.shared.infra import cache, config, redis
from tests import event_runner
from tests.factories import catalogue
from tests.factories.catalogue import Bridge
from tests.scenario import Scenario


def _connectivity_after_sweep(scenario: Scenario) -> str:
    event_runner.run_periodic("robot.connectivity")
    return str(
        scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")["connectivity"]
    )


@pytest.mark.usefixtures("still_clock")
def test_silent_robot_goes_stale_then_offline_and_returns(
    scenario: Scenario,
) -> None:
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    scenario.advance_seconds(8)
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    scenario.advance_seconds(3)
    assert _connectivity_after_sweep(scenario) == "STALE"
    scenario.advance_seconds(5)
    assert _connectivity_after_sweep(scenario) == "OFFLINE"
    scenario.robot.heartbeat()
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    events = scenario.run_events()
    assert "robot.went_offline" in events
    assert events.count("robot.came_online") == 2


@pytest.mark.usefixtures("still_clock")
def test_silence_during_own_outage_does_not_count(scenario: Scenario) -> None:
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    event_runner.advance_clock(timedelta(seconds=60))  # no part was alive meanwhile
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    scenario.advance_seconds(9)
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    scenario.advance_seconds(7)
    assert _connectivity_after_sweep(scenario) == "OFFLINE"


def test_silence_counts_and_heartbeats_are_kept_without_redis(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = catalogue.add_robot(scenario.api, "luna-bot-2")
    monkeypatch.setattr(redis, "is_up", lambda: False)
    redis.client().flushdb()
    for _ in range(4):
        scenario.robot.heartbeat()
        scenario.advance_seconds(4)
    scenario.robot.heartbeat()
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    silent_now = scenario.get(scenario.librarian, f"/robot/status/{silent.id}")
    assert silent_now["connectivity"] == "OFFLINE"


@pytest.mark.usefixtures("still_clock")
def test_silent_robot_is_offline_after_15_seconds_while_redis_refuses_connections(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, kind in (("client", Redis), ("async_client", AsyncRedis)):
        monkeypatch.setattr(redis, name, partial(kind.from_url, "unix:///nowhere"))
    assert _connectivity_after_sweep(scenario) == "ONLINE"
    scenario.advance_seconds(14)
    assert _connectivity_after_sweep(scenario) == "STALE"
    scenario.advance_seconds(1.5)
    assert _connectivity_after_sweep(scenario) == "OFFLINE"


def test_impossible_battery_change_is_ignored_and_reported(scenario: Scenario) -> None:
    scenario.robot.heartbeat(battery=0.2)
    seen = scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")
    assert seen["battery_level"] == pytest.approx(0.9)
    errors = scenario.get(scenario.librarian, f"/robot/robots/{scenario.robot.id}/errors")
    assert [error["type"] for error in errors] == ["BATTERY_JUMP"]
    scenario.robot.heartbeat(battery=0.85)
    seen = scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")
    assert seen["battery_level"] == pytest.approx(0.85)


@pytest.mark.parametrize(("seconds", "level"), [(10, 0.2), (20, 0.9)])
def test_replaced_battery_is_believed_after_a_minute_without_a_pause(
    scenario: Scenario, seconds: int, level: float
) -> None:
    for _ in range(7):
        scenario.robot.heartbeat(battery=0.2)
        scenario.advance_seconds(seconds)
    seen = scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")
    assert seen["battery_level"] == pytest.approx(level)


def test_repeated_error_is_stored_once_and_critical_error_disables_robot(
    scenario: Scenario,
) -> None:
    broken = [{"type": "LIDAR", "level": "CRITICAL", "message": "no scan"}]
    for _ in range(3):
        scenario.robot.heartbeat(errors=broken)
    errors = scenario.get(scenario.librarian, f"/robot/robots/{scenario.robot.id}/errors")
    assert [error["message"] for error in errors] == ["no scan"]
    path = f"/robot/status/{scenario.robot.id}"
    assert scenario.get(scenario.librarian, path)["status"] == "ERROR"
    limit = time.monotonic() + 30  # a heartbeat is compared with a snapshot of half a second
    while scenario.get(scenario.librarian, path)["status"] != "IDLE":
        assert time.monotonic() < limit
        scenario.robot.heartbeat()


def test_errors_of_one_robot_are_bounded(scenario: Scenario) -> None:
    for beat in range(3):
        errors = [{"type": f"E{beat}-{n}", "level": "WARNING"} for n in range(50)]
        scenario.robot.heartbeat(errors=errors)
    path = f"/robot/robots/{scenario.robot.id}/errors?limit=50"
    stored = [error["type"] for error in scenario.get(scenario.librarian, path)]
    assert len(stored) == config.robots().errors_per_minute + 1
    assert stored.count("TOO_MANY_ERRORS") == 1
    assert scenario.run_events().count("robot.error.reported") == len(stored)


def test_heartbeat_with_unknown_fields_is_accepted(scenario: Scenario) -> None:
    assert scenario.robot.heartbeat(colour="blue").status_code == 200


@pytest.mark.parametrize("wrong", [{"battery": 1.5}, {"pose": {"x": "here"}}, {"seq": -1}])
def test_invalid_heartbeat_is_refused(scenario: Scenario, wrong: dict[str, object]) -> None:
    assert scenario.robot.heartbeat(**wrong).status_code == 422


def test_heartbeat_with_older_seq_changes_nothing(scenario: Scenario) -> None:
    scenario.robot.at = "Circulation Desk"
    scenario.robot.heartbeat()
    late = {"seq": 1, "waypoint": "Dock 1"}
    assert scenario.robot.heartbeat(**late).status_code == 200
    seen = scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")
    assert seen["current_location"] == "Circulation Desk"
    later = catalogue.add_robot(scenario.api, "luna-bot-2")
    _live_copy(later)  # written with or after that of the late heartbeat
    assert _live_copy(scenario.robot)["current_location"] == "Circulation Desk"


def _live_copy(robot: Bridge) -> Any:
    """The robot's copy in Redis, which is written a moment after its heartbeat."""
    limit = time.monotonic() + 30
    pause = threading.Event()
    while not isinstance(live := redis.client().get(cache.robot_key(robot.id)), bytes):
        assert time.monotonic() < limit
        pause.wait(0.02)
    return json.loads(live)
