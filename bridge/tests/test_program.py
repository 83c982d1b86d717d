"""The program as a process: signals, files and exit codes."""

import asyncio
import json
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bridge.protocol.enrollment import EnrollmentFailedError, enroll
from bridge.tests.fake_server import KEY, FakeServer, log_lines, navigation, waypoint

pytestmark = pytest.mark.anyio

A, B, FAR = waypoint("A", 0), waypoint("B", 3), waypoint("FAR", 500)
Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def start(server: FakeServer, tmp_path: Path) -> AsyncIterator[Start]:
    running: list[asyncio.subprocess.Process] = []
    key_file = tmp_path / "key"
    key_file.write_text(KEY)

    async def start_bridge(*, ready: bool = True) -> asyncio.subprocess.Process:
        sessions = len(server.heartbeats)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", "--url", server.url, "--key-file", key_file),
            *("--state-dir", tmp_path / "state", "--speed", "40", "--start-waypoint", "A"),
            stdout=asyncio.subprocess.PIPE,
        )
        running.append(process)
        if ready:
            await server.until(lambda: len(server.heartbeats) > sessions)
        return process

    yield start_bridge
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_sigterm_stops_robot_and_exits_within_a_second(
    server: FakeServer, start: Start, tmp_path: Path
) -> None:
    process = await start()
    await server.issue("NAVIGATE", navigation(A, FAR))
    await server.until(lambda: server.heartbeats[-1]["speed"] > 0)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(1):
        assert await process.wait() == 0
    output, _ = await process.communicate()
    assert KEY not in output.decode()
    assert {line["event"] for line in log_lines(output.decode())} > {"bridge.ended"}
    saved = json.loads((tmp_path / "state" / "robot.json").read_text())
    assert 0 < saved["x"] < 500


async def test_killed_bridge_reports_after_restart_and_keeps_position(
    server: FakeServer, start: Start, tmp_path: Path
) -> None:
    process = await start()
    server.broken = {"events"}
    drive = await server.issue("NAVIGATE", navigation(A, B))
    await server.until(lambda: server.heartbeats[-1]["waypoint"] == "B")
    await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
    process.kill()
    await process.wait()
    assert drive.events == []
    server.broken = set()
    await start()
    await server.until(lambda: "SUCCEEDED" in drive.types)
    assert drive.types == ["ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"]
    assert [event["event_seq"] for event in drive.events] == [1, 2, 3, 4]
    assert server.heartbeats[-1]["waypoint"] == "B"
    boots = [session["boot_id"] for session in server.sessions]
    assert len(set(boots)) == 2


async def test_superseded_bridge_exits_with_3(server: FakeServer, start: Start) -> None:
    process = await start()
    server.epoch += 1
    await server.changed()
    async with asyncio.timeout(60):
        assert await process.wait() == 3


async def test_second_bridge_on_same_directory_exits_with_4(
    server: FakeServer, start: Start
) -> None:
    await start()
    second = await start(ready=False)
    async with asyncio.timeout(60):
        assert await second.wait() == 4


async def test_enrollment_writes_key_readable_by_owner_only(
    server: FakeServer, tmp_path: Path
) -> None:
    key_file = tmp_path / "robot" / "key"
    process = await start_enroll(server, "GOOD", key_file)
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert "Ada" in output.decode()
    assert KEY not in output.decode()
    assert key_file.read_text().strip() == KEY
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert server.enrolments[0]["code"] == "GOOD"


async def test_robots_of_a_directory_are_driven_by_one_process(
    server: FakeServer, tmp_path: Path
) -> None:
    for name in ("robot-1", "robot-2", "robot-3"):
        (tmp_path / f"{name}.key").write_text(KEY)
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"waypoint": "A", "x": 0.0, "y": 0.0, "floor": 1})
        )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "--robots", "2"),
        *("--url", server.url, "--directory", tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )
    await server.until(lambda: len(server.sessions) == 2)
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0
    assert len(server.sessions) == 2


async def test_used_enrollment_code_is_declined(server: FakeServer, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    with pytest.raises(EnrollmentFailedError, match="LUNA declined the code"):
        await enroll(server.url, "USED", key_file, "1")
    assert not key_file.exists()


async def start_enroll(server: FakeServer, code: str, key_file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "enroll"),
        *("--url", server.url, "--code", code, "--key-file", key_file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
