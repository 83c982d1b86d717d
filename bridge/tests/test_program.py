"""The program as it is started on a robot: a process, its signals, its files, its end."""

import asyncio
import json
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bridge.protocol.enrollment import EnrolmentFailedError, enrol
from bridge.tests.fake_server import KEY, FakeLuna, journey, log_lines, waypoint

pytestmark = pytest.mark.anyio

A, B, FAR = waypoint("A", 0), waypoint("B", 3), waypoint("FAR", 500)
Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def start(luna: FakeLuna, tmp_path: Path) -> AsyncIterator[Start]:
    running: list[asyncio.subprocess.Process] = []
    key_file = tmp_path / "key"
    key_file.write_text(KEY)

    async def start_bridge(*, ready: bool = True) -> asyncio.subprocess.Process:
        sessions = len(luna.heartbeats)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", "--url", luna.url, "--key-file", key_file),
            *("--state-dir", tmp_path / "state", "--speed", "40", "--start-waypoint", "A"),
            stdout=asyncio.subprocess.PIPE,
        )
        running.append(process)
        if ready:
            await luna.until(lambda: len(luna.heartbeats) > sessions)
        return process

    yield start_bridge
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_sigterm_stops_the_robot_and_ends_the_program_within_a_second(
    luna: FakeLuna, start: Start, tmp_path: Path
) -> None:
    process = await start()
    await luna.give("NAVIGATE", journey(A, FAR))
    await luna.until(lambda: luna.heartbeats[-1]["speed"] > 0)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(1):
        assert await process.wait() == 0
    output, _ = await process.communicate()
    assert KEY not in output.decode()
    assert {line["event"] for line in log_lines(output.decode())} > {"bridge.ended"}
    saved = json.loads((tmp_path / "state" / "robot.json").read_text())
    assert 0 < saved["x"] < 500


async def test_a_killed_bridge_tells_later_what_it_did_and_stands_where_it_was(
    luna: FakeLuna, start: Start, tmp_path: Path
) -> None:
    process = await start()
    luna.broken = {"events"}
    go = await luna.give("NAVIGATE", journey(A, B))
    await luna.until(lambda: luna.heartbeats[-1]["waypoint"] == "B")
    await luna.until(lambda: luna.heartbeats[-1]["active_command"] is None)
    process.kill()
    await process.wait()
    assert go.events == []
    luna.broken = set()
    await start()
    await luna.until(lambda: "SUCCEEDED" in go.types)
    assert go.types == ["ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED"]
    assert [event["event_seq"] for event in go.events] == [1, 2, 3, 4]
    assert luna.heartbeats[-1]["waypoint"] == "B"
    boots = [session["boot_id"] for session in luna.sessions]
    assert len(set(boots)) == 2


async def test_a_superseded_bridge_ends_with_3(luna: FakeLuna, start: Start) -> None:
    process = await start()
    luna.epoch += 1
    await luna.changed()
    async with asyncio.timeout(8):
        assert await process.wait() == 3


async def test_a_second_bridge_on_the_same_directory_ends_with_4(
    luna: FakeLuna, start: Start
) -> None:
    await start()
    second = await start(ready=False)
    async with asyncio.timeout(8):
        assert await second.wait() == 4


async def test_enrolment_keeps_the_key_for_its_owner_only(luna: FakeLuna, tmp_path: Path) -> None:
    key_file = tmp_path / "robot" / "key"
    process = await enroll(luna, "GOOD", key_file)
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert "Ada" in output.decode()
    assert KEY not in output.decode()
    assert key_file.read_text().strip() == KEY
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert luna.enrolments[0]["code"] == "GOOD"


async def test_a_used_code_is_told_in_a_sentence(luna: FakeLuna, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    with pytest.raises(EnrolmentFailedError, match="LUNA declined the code"):
        await enrol(luna.url, "USED", key_file, "1")
    assert not key_file.exists()


async def enroll(luna: FakeLuna, code: str, key_file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "enroll"),
        *("--url", luna.url, "--code", code, "--key-file", key_file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
