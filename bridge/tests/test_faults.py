"""Faults on demand: each is injected by a script, decided by a seed, and survived by the bridge."""

import asyncio
import gc
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.drivers.simulated_drive import BRAKING_S
from bridge.logs import Log
from bridge.protocol import session
from bridge.protocol.client import Key
from bridge.simulation import control, fleet
from bridge.simulation.faults import (
    Fault,
    InvalidScriptError,
    Kind,
    RobotFaults,
    parse_script,
)
from bridge.simulation.fleet import FleetOptions, SimulatedRobot, robots_of
from bridge.tests.conftest import Robot, until
from bridge.tests.fake_server import KEY, FakeServer, navigation, waypoint

# A client that drops a request leaves the socket of the fake server to the garbage collector.
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(autouse=True)
def _collect_sockets() -> Iterator[None]:
    """Collect them here, where the warning is expected, and not in another file's tests."""
    gc.freeze()  # what earlier tests left is not searched again: it may take a second
    yield
    gc.collect()


A, B, FAR = waypoint("A", 0), waypoint("B", 3), waypoint("FAR", 5000)
Start = Callable[..., Awaitable[SimulatedRobot]]


@pytest.fixture
async def start(server: FakeServer, tmp_path: Path) -> AsyncIterator[Start]:
    """Start a fleet of one robot with a script of faults."""
    running: list[asyncio.Task[None]] = []

    async def start_robot(*script: Fault, speed: float = 20.0) -> SimulatedRobot:
        add_robot(tmp_path, "bot-1")
        (robot,) = robots_of(FleetOptions(server.url, tmp_path, speed), Log())
        running.append(asyncio.create_task(fleet.run([robot], tmp_path, script)))
        await server.until(lambda: bool(server.heartbeats))
        return robot

    yield start_robot
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def add_robot(directory: Path, name: str) -> None:
    (directory / f"{name}.key").write_text(KEY)
    place = {"waypoint": "A", "x": 0.0, "y": 0.0, "floor": 1}
    (directory / f"{name}.json").write_text(json.dumps(place))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.NETWORK_LOSS, 0.3, limit=4, seconds=0.3),
        Fault(Kind.LATE, 0.5, seconds=0.05),
        Fault(Kind.TWICE),
        Fault(Kind.REORDERED),
        Fault(Kind.CLOCK_JUMP, value=-86_400),
        Fault(Kind.WRONG_BATTERY, value=0.0, seconds=5),
    ],
    ids=lambda fault: fault.fault.value,
)
async def test_command_succeeds_despite_fault(
    server: FakeServer, start: Start, fault: Fault
) -> None:
    robot = await start(fault)
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "SUCCEEDED" in drive.types)
    await until(lambda: robot.faults.injected[fault.fault] > 0)
    assert drive.milestones == ["ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"]


@pytest.mark.parametrize("step", ["LEASED", "ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"])
async def test_robot_that_crashed_at_a_step_continues_after_its_restart(
    server: FakeServer, start: Start, step: str
) -> None:
    crash = Fault(Kind.CRASH, step=step, limit=1, seconds=0.05)
    robot = await start(crash)
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: len(server.sessions) == 2)
    if step in {"LEASED", "ACCEPTED", "STARTED"}:  # LUNA sends it again; here the test does
        await server.issue_again(drive)
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert robot.crashes == 1
    assert [event["event_seq"] for event in drive.events] == sorted(
        {event["event_seq"] for event in drive.events}
    )


async def test_stale_epoch_is_refused_and_changes_nothing(server: FakeServer, start: Start) -> None:
    robot = await start(Fault(Kind.OLD_EPOCH))
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "SUCCEEDED" in drive.types)
    await until(lambda: robot.faults.injected[Kind.OLD_EPOCH] > 0)
    assert {beat["epoch"] for beat in server.heartbeats} == {1}


async def test_blocked_path_is_reported_and_fails_the_drive(
    server: FakeServer, start: Start
) -> None:
    await start(Fault(Kind.BLOCKED_PATH, limit=1, seconds=1.2), speed=100)
    drive = await server.issue("NAVIGATE", navigation(A, waypoint("C", 30)))
    await server.until(lambda: server.heartbeats[-1]["safety"]["obstacle"])
    assert server.heartbeats[-1]["errors"][0]["type"] == "PATH_BLOCKED"
    await server.until(lambda: "FAILED" in drive.types)
    assert drive.events[-1]["message"].startswith("PATH_BLOCKED")
    again = await server.issue("NAVIGATE", navigation(A, waypoint("C", 30)))
    await server.until(lambda: "SUCCEEDED" in again.types)


async def test_flat_battery_fails_the_drive_until_it_is_replaced(
    server: FakeServer, start: Start
) -> None:
    await start(Fault(Kind.FLAT_BATTERY, limit=1, seconds=1.5), speed=100)
    drive = await server.issue("NAVIGATE", navigation(A, FAR))
    await server.until(lambda: "FAILED" in drive.types)
    assert server.heartbeats[-1]["battery"] == 0
    again = await server.issue("NAVIGATE", navigation(A, waypoint("C", 30)))
    await server.until(lambda: bool({"SUCCEEDED", "FAILED"} & set(again.types)))
    last = await server.issue("NAVIGATE", navigation(A, waypoint("C", 30)))
    await server.until(lambda: "SUCCEEDED" in last.types)


async def test_robot_that_arrives_elsewhere_reports_where_it_is(
    server: FakeServer, start: Start
) -> None:
    await start(Fault(Kind.ARRIVES_ELSEWHERE, limit=1, value=7.0))
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "ARRIVED" in drive.types)
    arrived = next(event for event in drive.events if event["type"] == "ARRIVED")
    assert arrived["pose"]["x"] == pytest.approx(10)


async def test_wrong_place_is_reported_while_it_lasts(server: FakeServer, start: Start) -> None:
    await start(Fault(Kind.WRONG_PLACE, limit=1, value=500.0, seconds=60))
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "ARRIVED" in drive.types)
    assert server.heartbeats[-1]["pose"]["x"] > 490


async def test_unconfirmed_stop_lacks_its_second_confirmation_while_it_lasts(
    server: FakeServer, start: Start
) -> None:
    robot = await start(Fault(Kind.UNCONFIRMED_STOP, seconds=3))
    await server.issue("NAVIGATE", navigation(A, FAR))
    await server.until(lambda: server.heartbeats[-1]["speed"] > 0)
    await server.order_stop(stopped=True)
    await server.until(lambda: len(server.stop_events) == 1)
    assert server.stop_events[0]["type"] == "RECEIVED"
    assert robot.driver.state().speed > 0
    assert len(server.stop_events) == 1
    await server.until(lambda: len(server.stop_events) == 2)


async def test_moving_robot_without_luna_for_three_seconds_has_stopped(
    server: FakeServer, start: Start
) -> None:
    """With the limits of a real robot: it moves for 3 s of silence and brakes within 0.5 s.

    The fastest of three, since the machine does other work.
    """
    robot = await start(speed=1.0)
    await server.issue("NAVIGATE", navigation(A, FAR))
    state, took = robot.driver.state, float("inf")
    for losses in range(1, 4):
        await until(lambda: state().speed > 0)
        robot.faults.replace([Fault(Kind.NETWORK_LOSS, limit=1, seconds=6)])
        await until(lambda count=losses: robot.faults.injected[Kind.NETWORK_LOSS] == count)  # type: ignore[misc]  # a default
        lost = time.monotonic()
        await until(lambda: state().speed == 0)
        took, place = time.monotonic() - lost, state().pose
        assert place.x > 0
        await until(lambda since=lost: time.monotonic() - since > 4)  # type: ignore[misc]  # likewise
        assert state().pose == place
        if took <= 3.0 + BRAKING_S + 0.5:
            return
    raise AssertionError(f"the last stop took {took:.1f} s")


async def test_second_bridge_with_the_same_key_does_not_move_the_robot(
    server: FakeServer, robot: Robot
) -> None:
    """The newest session drives; the older bridge stops its robot and ends, and polls nothing."""
    await robot.start()
    await server.issue("NAVIGATE", navigation(A, FAR))
    await robot.until_moving()
    second = Robot(server, robot.directory / "second-bridge")
    await second.start()
    assert robot.task is not None
    assert await asyncio.wait_for(robot.task, 60) == session.SUPERSEDED
    assert robot.at_standstill()
    place = robot.simulator.state().pose
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert robot.simulator.state().pose == place
    assert second.simulator.state().waypoint == "B"
    await second.end()


async def test_same_seed_decides_the_same_faults() -> None:
    script = [Fault(Kind.TWICE, 0.3), Fault(Kind.CRASH, 0.5, step="STARTED")]

    def decisions(seed: int, robot: str = "bot-1") -> list[bool]:
        faults = RobotFaults(robot, seed, script)
        return [faults.draw(Kind.TWICE) is not None for _ in range(100)]

    assert decisions(7) == decisions(7)
    assert decisions(7) != decisions(8)
    assert decisions(7) != decisions(7, "bot-2")
    assert 15 < sum(decisions(7)) < 45


async def test_fault_names_its_robots_and_its_limit() -> None:
    script = parse_script(
        [{"fault": "TWICE", "robots": ["bot-1"], "limit": 2}, {"fault": "CRASH", "step": "LEASED"}]
    )
    first, second = RobotFaults("bot-1", 1, script), RobotFaults("bot-2", 1, script)
    assert [first.draw(Kind.TWICE) is not None for _ in range(3)] == [True, True, False]
    assert second.draw(Kind.TWICE) is None
    assert first.draw(Kind.CRASH, "STARTED") is None
    assert first.draw(Kind.CRASH, "LEASED") is not None


@pytest.mark.parametrize(
    "script",
    [
        {"fault": "TWICE"},
        [{"fault": "EXPLODES"}],
        [{"fault": "TWICE", "often": True}],
        [{"fault": "TWICE", "probability": 1.5}],
        [{"fault": "TWICE", "seconds": "long"}],
    ],
)
async def test_invalid_script_is_refused(script: Any) -> None:
    with pytest.raises(InvalidScriptError):
        parse_script(script)


def call(method: str, url: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, method=method)  # noqa: S310  our own address
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  likewise
        return json.load(answer)


async def test_control_replaces_faults_of_one_robot_or_all(tmp_path: Path) -> None:
    for name in ("bot-1", "bot-2"):
        add_robot(tmp_path, name)
    robots = robots_of(FleetOptions("http://127.0.0.1:9", tmp_path), Log())
    with control.serving(robots, 0) as port:
        url = f"http://127.0.0.1:{port}"
        one = call("PUT", f"{url}/robots/bot-2/faults", [{"fault": "LATE", "seconds": 2}])
        assert [each["faults"][0]["seconds"] for each in one] == [2]
        assert [len(each["faults"]) for each in call("GET", f"{url}/robots")] == [0, 1]
        assert len(call("PUT", f"{url}/faults", [{"fault": "TWICE"}])) == 2
        assert robots[0].faults.draw(Kind.TWICE) is not None
        assert call("GET", f"{url}/robots")[0]["injected"] == {"TWICE": 1}
        call("DELETE", f"{url}/faults")
        assert robots[0].faults.draw(Kind.TWICE) is None
        for method, path, status in (("PUT", "/robots/bot-9/faults", 404), ("PUT", "/faults", 400)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                call(method, url + path, [{"fault": "EXPLODES"}])
            assert refused.value.code == status


async def test_robots_are_listed_by_number_and_key_is_read(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        add_robot(tmp_path, f"luna-bot-{number}")
    options = FleetOptions("http://127.0.0.1:9", tmp_path, count=2, skip=1)
    assert [robot.name for robot in robots_of(options, Log())] == ["luna-bot-2", "luna-bot-10"]
    assert Key(tmp_path / "luna-bot-1.key").header()["Authorization"].endswith(KEY)
