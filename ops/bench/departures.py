"""The time from a confirmed loading to the command to go, on robots of a running fleet."""

import asyncio
import time
from typing import Any

from ops.bench import bench_library
from ops.bench.bridges import Connection, SimulatedBridge
from ops.bench.system import System

_PLACE = "Study Room 104"
_TIMEOUT = 30.0  # seconds for each
_INTERVAL = 0.01


async def measure(system: System, fleet: list[SimulatedBridge], count: int) -> list[float]:
    """Run so many deliveries up to the departure; ms from the response to the bridge's command."""
    token = system.sign_in("LIBRARIAN")["Authorization"].removeprefix("Bearer ")
    staff = Connection(system.address, token)
    books = bench_library.add_books(system, count, copies=1)
    members = bench_library.add_members(system, count)
    found = []
    for book, member in zip(books, members, strict=True):
        async with asyncio.timeout(_TIMEOUT):
            body = {
                "book_id": str(book),
                "user_id": str(member),
                "request_location": _PLACE,
            }
            made = await _call(staff, "POST", "/requests", body)
            found.append(await _depart(staff, fleet, made["task"]["id"]))
    staff.close()
    return found


async def _depart(staff: Connection, fleet: list[SimulatedBridge], task: str) -> float:
    robot, command = await _command_for(fleet, task)
    await _carry_out(robot, command)
    while (await _call(staff, "GET", f"/deliveries/{task}"))["stage"] != "LOADING":  # noqa: ASYNC110 (over HTTP)
        await asyncio.sleep(_INTERVAL)
    await _call(staff, "PUT", f"/deliveries/{task}/book-placed", {"robot_id": robot.id})
    answered = time.monotonic()
    received, _ = await robot.commands.get()
    return max(0.0, received - answered) * 1000


async def _command_for(fleet: list[SimulatedBridge], task: str) -> tuple[SimulatedBridge, Any]:
    while True:
        for robot in fleet:
            while not robot.commands.empty():
                _, command = robot.commands.get_nowait()
                if command["task_id"] == task:  # another may be of a task that is older than this
                    return robot, command
        await asyncio.sleep(_INTERVAL)


async def _carry_out(robot: SimulatedBridge, command: Any) -> None:
    target = command["payload"]["waypoint"]
    robot.x, robot.y = target["x"], target["y"]
    reports = robot.connection()
    for number, kind in enumerate(("ACCEPTED", "STARTED", "ARRIVED"), 1):
        pose = {name: target[name] for name in ("x", "y", "floor")}
        body = {"lease_token": command["lease_token"], "event_seq": number, "type": kind}
        path = f"/robot/bridge/commands/{command['id']}/events"
        await _call(reports, "POST", path, body | {"pose": pose})
    reports.close()


async def _call(connection: Connection, *words: Any) -> Any:
    status, data = await connection.call(*words)
    if status not in {200, 201}:
        raise RuntimeError(f"{words[0]} {words[1]}: {status}")
    return data
