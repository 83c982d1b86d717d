"""Runs a bridge: opens a session and runs all its parts until it is cancelled."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

import httpx

from bridge.clock import LunaClock
from bridge.drivers.base import Driver
from bridge.logs import Log
from bridge.messages import Json, MalformedError, instant, integer, mapping, number, text
from bridge.motion.executor import Executor
from bridge.motion.motion_controller import MotionController
from bridge.protocol.client import ApiClient, Key, SupersededError, UnreachableError
from bridge.protocol.commands import Commands
from bridge.protocol.emergency_stop import StopListener
from bridge.protocol.heartbeat import Heartbeat
from bridge.protocol.journal import Journal
from bridge.protocol.link_monitor import LinkMonitor
from bridge.protocol.long_poll import LongPoll
from bridge.protocol.reports import Reports
from bridge.protocol.watchdog import Watchdog
from bridge.timeouts import Timeouts

Connect: TypeAlias = Callable[[], httpx.AsyncClient]  # one client for each purpose

ENDED = 0
SUPERSEDED = 3

MIN_INTERVAL_S = 0.05  # minimum between heartbeats


@dataclass(frozen=True, slots=True)
class Session:
    robot_id: str
    epoch: int
    moving_interval: float  # seconds between heartbeats
    idle_interval: float
    server_time: datetime


@dataclass(frozen=True, slots=True)
class ApiClients:
    """One client per purpose, each with its own connection, so that no call waits for another."""

    heartbeat: ApiClient
    commands: ApiClient
    reports: ApiClient
    stop_poll: ApiClient
    stop_confirmations: ApiClient


async def run(
    connect: Connect,
    key: Key,
    driver: Driver,
    journal_file: Path,
    log: Log,
    *,
    timeouts: Timeouts | None = None,
) -> int:
    """Serve the robot until cancelled; it is at standstill when this returns or raises.

    Returns SUPERSEDED when a newer session of the same robot has taken over.
    """
    timeouts = timeouts or Timeouts()
    controller = MotionController(driver, log)
    journal = Journal(journal_file)
    ending = ENDED
    try:
        async with _open_clients(connect, key, timeouts, log) as clients:
            await _serve(clients, driver, controller, journal, timeouts, log)
    except* SupersededError:
        ending = SUPERSEDED
        log.error(
            "bridge.superseded",
            reason="A newer session of this robot exists: this bridge stops the robot and ends.",
        )
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeouts.shutdown):
                await controller.stop()
                await controller.standstill()
        await driver.close()
        journal.close()
    return ending


@asynccontextmanager
async def _open_clients(
    connect: Connect, key: Key, timeouts: Timeouts, log: Log
) -> AsyncIterator[ApiClients]:
    link = LinkMonitor(timeouts.max_silence)
    async with AsyncExitStack() as opened:

        async def client() -> ApiClient:
            http = await opened.enter_async_context(connect())
            return ApiClient(http, key, link, timeouts, log)

        yield ApiClients(*[await client() for _ in fields(ApiClients)])


async def _serve(
    clients: ApiClients,
    driver: Driver,
    controller: MotionController,
    journal: Journal,
    timeouts: Timeouts,
    log: Log,
) -> None:
    session = await _open_session(clients.heartbeat, driver.capabilities, timeouts)
    log = log.bind(robot=session.robot_id)
    log.info("session.opened", epoch=session.epoch, unsent_events=len(journal.unsent))
    link = clients.heartbeat.link
    stop = StopListener(
        controller, LongPoll(clients.stop_poll, timeouts), clients.stop_confirmations, log
    )
    heartbeat = Heartbeat(clients.heartbeat, controller, stop, session.epoch, timeouts, log)
    clock = LunaClock()
    clock.set(session.server_time)
    reports = Reports(clients.reports, journal, clock, log)
    executor = Executor(driver, controller, reports, clock, timeouts, log)
    can_say = bool(driver.capabilities.get("say"))
    commands = Commands(executor, controller, journal, reports, log, can_say=can_say)
    watchdog = Watchdog(controller, link, heartbeat, executor.confirm, log)

    heartbeat.active_command = lambda: executor.active_command
    executor.changed = stop.changed = heartbeat.nudge
    reports.lost = commands.lost
    link.key_refused = partial(executor.fail_all, "LUNA refused the robot's key.")

    async with asyncio.TaskGroup() as tasks:
        for part in (
            stop.listen(),
            stop.confirm(),
            heartbeat.beat(session.moving_interval, session.idle_interval),
            watchdog.watch(timeouts.max_silence),
            reports.send(),
            executor.run(),
            commands.listen(LongPoll(clients.commands, timeouts), session.epoch),
        ):
            tasks.create_task(part)


async def _open_session(client: ApiClient, capabilities: Json, timeouts: Timeouts) -> Session:
    """Open a session; each start of the bridge has its own boot id."""
    boot = {"boot_id": str(uuid.uuid4()), "capabilities": capabilities}
    while True:
        try:
            return _session_from(await client.retry_forever("POST", "/session", boot), timeouts)
        except MalformedError as error:
            await client.recover(UnreachableError(str(error)))


def _session_from(data: object, timeouts: Timeouts) -> Session:
    body = mapping(data, "session")
    return Session(
        robot_id=text(body, "robot_id"),
        epoch=integer(body, "epoch"),
        moving_interval=max(
            MIN_INTERVAL_S, min(timeouts.heartbeat_moving, number(body, "heartbeat_interval"))
        ),
        idle_interval=max(
            MIN_INTERVAL_S, min(timeouts.heartbeat_idle, number(body, "offline_after") / 3)
        ),
        server_time=instant(body.get("server_time")),
    )
