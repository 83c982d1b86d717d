"""`/robot/status` shows what the newest heartbeats reported, which PostgreSQL stores later."""

import time
from typing import Any

import pytest

from backend.shared.infra import redis
from tests.scenario import Scenario

MAX_DELAY = 1.0  # seconds behind the live view
POSE = {"x": 3.5, "y": 1.0, "theta": 0.5, "floor": 1}


def _shown(scenario: Scenario) -> list[Any]:
    """Return the robot in the list and by its id."""
    (listed,) = scenario.get(scenario.librarian, "/robot/status")
    return [listed, scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")]


def test_status_follows_a_heartbeat_that_is_not_stored(scenario: Scenario) -> None:
    """The fastest of ten, since the machine does other work."""
    fastest = float("inf")
    for attempt in range(10):
        pose = POSE | {"y": 1.0 + attempt / 100}
        sent = time.monotonic()
        scenario.robot.heartbeat(pose=pose, waypoint=None)
        while [each["pose"] for each in _shown(scenario)] != [pose, pose]:
            assert time.monotonic() < sent + 60
        fastest = min(fastest, time.monotonic() - sent)
        if fastest < MAX_DELAY:
            break
    assert fastest < MAX_DELAY
    assert [each["current_location"] for each in _shown(scenario)] == ["Dock 1", "Dock 1"]


@pytest.mark.parametrize("failure", ["empty", "away"])
def test_status_is_that_of_the_database_without_live_copies(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    stored = {"x": 0.0, "y": 0.0, "theta": 0.0, "floor": 1}
    if failure == "empty":
        redis.client().flushdb()
    else:
        monkeypatch.setattr(redis, "is_up", lambda: False)
    assert [each["pose"] for each in _shown(scenario)] == [stored, stored]


def test_speed_is_what_the_newest_heartbeat_reported(scenario: Scenario) -> None:
    for speed in (1.5, 0.0):  # it drives, then stands
        limit = time.monotonic() + 60
        while [each["speed"] for each in _shown(scenario)] != [speed, speed]:
            assert time.monotonic() < limit
            scenario.robot.heartbeat(speed=speed)


def test_speed_is_null_without_a_live_copy(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario.robot.heartbeat(speed=1.5)
    monkeypatch.setattr(redis, "is_up", lambda: False)
    assert [each["speed"] for each in _shown(scenario)] == [None, None]


def test_heartbeats_keep_the_version_of_a_robot(scenario: Scenario) -> None:
    path = f"/robot/status/{scenario.robot.id}"
    before = scenario.call(scenario.librarian, "GET", path).headers["etag"]
    scenario.robot.heartbeat(battery=0.5)
    assert scenario.call(scenario.librarian, "GET", path).headers["etag"] == before
