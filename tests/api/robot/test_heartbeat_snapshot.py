"""Heartbeats that change nothing are answered from memory, and never with an older stop."""

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.robot.bridge_protocol import due_writes, heartbeats
from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT, FleetSnapshot
from backend.robot.bridge_protocol.long_poll import LONG_POLLS
from backend.shared.domain.stop_latches import Latch
from backend.shared.infra import async_database, database, redis
from backend.shared.messaging import channels
from backend.shared.models import FLEET_LATCH
from tests.event_runner import wait_until
from tests.scenario import Scenario, code_of


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rules that ran in a transaction of the event loop."""
    ran: list[str] = []
    run = async_database.run

    async def counted(rule: Any, *args: Any, **options: Any) -> Any:
        ran.append(rule.__name__)
        return await run(rule, *args, **options)

    monkeypatch.setattr(async_database, "run", counted)
    return ran


def _wait_for_snapshot(scenario: Scenario) -> None:
    """Wait until the snapshot has the robot as its last heartbeat left it."""
    limit = time.monotonic() + 30
    pause = threading.Event()
    scenario.robot.heartbeat()
    began = time.monotonic()
    while SNAPSHOT.read_at < began or SNAPSHOT.robot(scenario.robot.id) is None:
        assert time.monotonic() < limit
        pause.wait(0.02)


def owner_value(owner: Engine, statement: str) -> int:
    """Return the single number that a statement selects."""
    with owner.connect() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def test_unchanged_heartbeat_runs_no_transaction(
    scenario: Scenario, transactions: list[str]
) -> None:
    _wait_for_snapshot(scenario)
    transactions.clear()
    assert scenario.robot.heartbeat().json()["data"]["desired"] == "RUN"
    assert "record_heartbeat" not in transactions


def test_heartbeat_of_a_robot_that_stands_after_a_drive_runs_no_transaction(
    scenario: Scenario, transactions: list[str]
) -> None:
    scenario.robot.heartbeat(speed=1.5)
    _wait_for_snapshot(scenario)
    transactions.clear()
    scenario.robot.heartbeat()
    assert "record_heartbeat" not in transactions


def test_due_heartbeat_is_written_with_those_of_other_robots(
    scenario: Scenario,
    transactions: list[str],
    monkeypatch: pytest.MonkeyPatch,
    owner: Engine,
) -> None:
    _wait_for_snapshot(scenario)
    monkeypatch.setattr(heartbeats, "is_due", lambda _robot: True)
    transactions.clear()
    scenario.robot.heartbeat(sensors={"lux": 300})
    limit, pause = time.monotonic() + 30, threading.Event()
    while "write" not in transactions:
        assert time.monotonic() < limit
        pause.wait(0.02)
    assert "record_heartbeat" not in transactions
    written = "SELECT count(*) FROM robots WHERE sensor_data ->> 'lux' = '300'"
    while owner_value(owner, written) == 0:
        assert time.monotonic() < limit
        pause.wait(0.02)


def test_pending_write_never_replaces_a_newer_heartbeat(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, owner: Engine
) -> None:
    _wait_for_snapshot(scenario)
    held: list[list[dict[str, Any]]] = []
    monkeypatch.setattr(heartbeats, "is_due", lambda _robot: True)
    monkeypatch.setattr(due_writes, "write", lambda _session, batch: held.append(batch))
    scenario.robot.heartbeat(sensors={"lux": 300})
    wait_until(lambda: bool(held))
    monkeypatch.undo()
    scenario.robot.heartbeat(battery=0.7, sensors={"lux": 400})  # a change is written at once
    with database.transaction() as session:
        due_writes.write(session, held[0])
    assert owner_value(owner, "SELECT count(*) FROM robots WHERE sensor_data ->> 'lux' = '400'")


@pytest.mark.parametrize(
    "news",
    [
        {"waypoint": "Circulation Desk"},
        {"errors": [{"type": "LIDAR", "level": "WARNING"}]},
        {"docked": True},
        {"battery": 0.85},
        {"stop_version": None},
    ],
)
def test_heartbeat_with_news_runs_a_transaction(
    scenario: Scenario, transactions: list[str], news: dict[str, Any]
) -> None:
    _wait_for_snapshot(scenario)
    transactions.clear()
    assert scenario.robot.heartbeat(**news).status_code == 200
    assert "record_heartbeat" in transactions


def test_heartbeat_never_answers_an_older_stop_than_the_bridge_knows(scenario: Scenario) -> None:
    _wait_for_snapshot(scenario)
    scenario.call(scenario.librarian, "POST", "/robot/emergency-stop")
    SNAPSHOT.latches[FLEET_LATCH] = Latch(0, stopped=False, reason=None)  # a late process
    answer = scenario.robot.heartbeat(stop_version=1).json()["data"]
    assert (answer["desired"], answer["stop_version"]) == ("STOP", 1)


def test_session_opened_in_another_process_fences_the_snapshot(scenario: Scenario) -> None:
    _wait_for_snapshot(scenario)
    row = SNAPSHOT.robots[scenario.robot.id]
    scenario.robot.open_session()
    SNAPSHOT.robots[scenario.robot.id] = row  # as in a process that has not opened it
    LONG_POLLS.receive(channels.BRIDGE_SESSIONS, str(scenario.robot.id).encode())
    refused = scenario.robot.heartbeat(epoch=scenario.robot.epoch - 1)
    assert (refused.status_code, code_of(refused)) == (409, "STALE_EPOCH")


def test_stop_of_another_process_is_read_at_its_message(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired = threading.Event()
    monkeypatch.setattr(SNAPSHOT, "expire", expired.set)
    redis.client().publish("wake:command:nobody", "")  # no robot: it ends no listener
    scenario.call(scenario.librarian, "POST", "/robot/emergency-stop")
    assert expired.wait(30)


def test_change_during_a_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        snapshot = FleetSnapshot()
        began, may_end, reads = asyncio.Event(), asyncio.Event(), []

        async def read() -> None:
            reads.append(1)
            began.set()
            await may_end.wait()

        monkeypatch.setattr(snapshot, "_read", read)
        regular = asyncio.create_task(snapshot.refresh())
        await began.wait()
        snapshot.expire()
        snapshot.expire()
        may_end.set()
        await snapshot.finish()
        assert regular.done()
        assert len(reads) == 2

    asyncio.run(main())


@pytest.mark.parametrize("version", [2, 7000])
def test_forged_message_lifts_no_stop(scenario: Scenario, version: int) -> None:
    scenario.call(scenario.librarian, "POST", "/robot/emergency-stop")
    forged = {"id": str(FLEET_LATCH), "version": version, "stopped": False, "reason": None}
    for message in (json.dumps(forged), "[]", "\xff"):
        redis.client().publish(channels.STOP_LATCHES, message)
    poll = scenario.robot.call("GET", "/stop?after=1&wait=0.5")
    assert poll.json()["data"] is None
    answer = scenario.robot.heartbeat().json()["data"]
    assert (answer["desired"], answer["stop_version"]) == ("STOP", 1)
