"""One boot of a robot: opens its session, then keeps every line to LUNA alive until the end."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bridge.drivers.base import Driver
from bridge.logs import Log
from bridge.messages import MalformedError, instant, integer, mapping, number, text
from bridge.motion.executor import Executor
from bridge.motion.motion_controller import MotionController
from bridge.protocol.client import ApiClient, Key, SupersededError, UnreachableError, make_http
from bridge.protocol.commands import Commands
from bridge.protocol.emergency_stop import StopWatch
from bridge.protocol.heartbeat import Heartbeat
from bridge.protocol.journal import Journal
from bridge.protocol.link_monitor import LinkMonitor
from bridge.protocol.long_poll import LongPoll
from bridge.protocol.reports import Reports
from bridge.protocol.watchdog import Watchdog
from bridge.timeouts import Timeouts

ENDED = 0
SUPERSEDED = 3

LEAST_INTERVAL_S = 0.05  # between heartbeats, whatever LUNA asks for


@dataclass(frozen=True, slots=True)
class Session:
    robot_id: str
    epoch: int
    moving_interval: float  # seconds between heartbeats
    idle_interval: float
    clock_ahead: timedelta  # LUNA's clock before ours


@dataclass(frozen=True, slots=True)
class ApiClients:
    """Each with its own connection, so that no call waits behind another."""

    heartbeat: ApiClient
    commands: ApiClient
    reports: ApiClient
    stop_poll: ApiClient
    stop_posts: ApiClient
    contact: LinkMonitor


async def run(
    url: str,
    key: Key,
    driver: Driver,
    journal_file: Path,
    log: Log,
    *,
    timing: Timeouts | None = None,
) -> int:
    """Serve the robot until cancelled; the robot stands still when this returns or raises.

    Returns SUPERSEDED when a newer session of the same robot has taken over.
    """
    timing = timing or Timeouts()
    helm = MotionController(driver, log)
    journal = Journal(journal_file)
    ending = ENDED
    try:
        async with _lines(url, key, timing, log) as lines:
            await _serve(lines, driver, helm, journal, timing, log)
    except* SupersededError:
        ending = SUPERSEDED
        log.alarm(
            "bridge.superseded",
            reason="A newer session of this robot exists: this bridge stops the robot and ends.",
        )
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(timing.farewell):
                await helm.stop()
                await helm.standstill()
        await driver.close()
        journal.close()
    return ending


@asynccontextmanager
async def _lines(url: str, key: Key, timing: Timeouts, log: Log) -> AsyncIterator[ApiClients]:
    contact = LinkMonitor(timing.silence)
    async with AsyncExitStack() as opened:

        async def line() -> ApiClient:
            http = await opened.enter_async_context(make_http(url))
            return ApiClient(http, key, contact, timing, log)

        yield ApiClients(
            heartbeat=await line(),
            commands=await line(),
            reports=await line(),
            stop_poll=await line(),
            stop_posts=await line(),
            contact=contact,
        )


async def _serve(
    lines: ApiClients,
    driver: Driver,
    helm: MotionController,
    journal: Journal,
    timing: Timeouts,
    log: Log,
) -> None:
    session = await _open_session(lines.heartbeat, timing)
    log = log.bind(robot=session.robot_id)
    log.info("session.opened", epoch=session.epoch, unsent_events=len(journal.unsent))
    contact = lines.contact
    stop = StopWatch(helm, LongPoll(lines.stop_poll, contact, timing), lines.stop_posts, log)
    heartbeat = Heartbeat(lines.heartbeat, helm, stop, session.epoch, timing, log)
    reports = Reports(lines.reports, journal, log)
    executor = Executor(driver, helm, reports, timing, log)
    commands = Commands(executor, helm, journal, reports, log)
    watchdog = Watchdog(helm, contact, heartbeat, executor.confirm, log)

    executor.clock_ahead = session.clock_ahead
    heartbeat.active_command = lambda: executor.active_command
    executor.changed = stop.changed = heartbeat.nudge
    reports.lost = commands.lost
    contact.key_refused = partial(executor.give_up, "LUNA refuses the robot's key.")

    async with asyncio.TaskGroup() as tasks:
        for part in (
            stop.listen(),
            stop.acknowledge(),
            heartbeat.beat(session.moving_interval, session.idle_interval),
            watchdog.watch(timing.silence),
            reports.send(),
            executor.run(),
            commands.listen(LongPoll(lines.commands, contact, timing), session.epoch),
        ):
            tasks.create_task(part)


async def _open_session(line: ApiClient, timing: Timeouts) -> Session:
    """Ask until LUNA opens the session; each start of the bridge is a boot of its own."""
    boot = {"boot_id": str(uuid.uuid4())}
    while True:
        try:
            return _session_from(await line.insist("POST", "/session", boot), timing)
        except MalformedError as error:
            await line.recover(UnreachableError(str(error)))


def _session_from(data: object, timing: Timeouts) -> Session:
    body = mapping(data, "session")
    server_time = instant(body.get("server_time"))
    return Session(
        robot_id=text(body, "robot_id"),
        epoch=integer(body, "epoch"),
        moving_interval=max(
            LEAST_INTERVAL_S, min(timing.heartbeat_moving, number(body, "heartbeat_interval"))
        ),
        idle_interval=max(
            LEAST_INTERVAL_S, min(timing.heartbeat_idle, number(body, "offline_after") / 3)
        ),
        clock_ahead=server_time - datetime.now(UTC),
    )
