"""Carries out the commands that move the robot: one at a time, each from acceptance to its end."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol, TypeAlias

from bridge.drivers.base import DriveFailedError, Driver, DriveRefusedError
from bridge.logs import Log
from bridge.messages import Command, Json, MalformedError, mapping, waypoint_from
from bridge.motion.motion_controller import HaltedError, MotionController
from bridge.motion.route import planned_route
from bridge.timeouts import Timeouts

MOTIONS = frozenset({"NAVIGATE", "DOCK", "UNDOCK"})
NEEDS_LOADING_PROOF = "TO_DESTINATION"  # the stage in which the robot carries a book away

Motion: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
EndedAs: TypeAlias = Literal["CANCELLED", "FAILED", "LOST"]


class Reports(Protocol):
    """Where the executor reports the progress of a command; `protocol.reports` sends it."""

    async def add(self, command_id: str, kind: str, details: Json) -> None: ...

    def has_unsent(self, command_id: str) -> bool: ...

    async def all_answered(self) -> None: ...


@dataclass(eq=False, slots=True)
class Execution:
    """A command in our hands. `stops_before` is how often the robot was stopped before it came."""

    command: Command
    stops_before: int
    started: bool = False
    ended_as: EndedAs | None = None  # set from outside, before its motion is halted
    why: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Executor:
    def __init__(
        self, driver: Driver, helm: MotionController, reports: Reports, timing: Timeouts, log: Log
    ) -> None:
        self._driver = driver
        self._helm = helm
        self._reports = reports
        self._timing = timing
        self._log = log
        self._waiting: deque[Execution] = deque()
        self._more = asyncio.Event()
        self.current: Execution | None = None
        self.changed: Callable[[], None] = lambda: None
        self.clock_ahead = timedelta()  # how far LUNA's clock is before ours

    @property
    def active_command(self) -> str | None:
        return self.current.command.id if self.current else None

    def submit(self, command: Command) -> None:
        """Line a motion up behind the present one."""
        self._waiting.append(Execution(command, self._helm.stops))
        self._more.set()

    def find(self, command_id: str) -> Execution | None:
        """The execution of this command, under way or lined up."""
        held = [*self._waiting, *([self.current] if self.current else [])]
        return next((one for one in held if one.command.id == command_id), None)

    async def end(self, execution: Execution, ended_as: EndedAs, why: str) -> None:
        """End it from outside, and return when the robot stands and the end is on record."""
        execution.ended_as = execution.ended_as or ended_as
        execution.why = execution.why or why
        if execution in self._waiting:
            self._waiting.remove(execution)
            await self._halted(execution)
            execution.over.set()
        elif execution is self.current:
            await self._helm.halt()
        await execution.over.wait()

    async def give_up(self, why: str) -> None:
        """End everything that is under way or lined up, as failed."""
        held = [*([self.current] if self.current else []), *self._waiting]
        await asyncio.gather(*(self.end(execution, "FAILED", why) for execution in held))
        await self._helm.halt()

    async def confirm(self) -> None:
        """Return when LUNA has confirmed the present command, or it was halted as not ours."""
        if self.current is not None:
            await self.report_progress(self.current)
            await self._reports.all_answered()

    async def run(self) -> None:
        while True:
            while self._waiting:
                self.current = execution = self._waiting.popleft()
                try:
                    await self._carry_out(execution)
                finally:
                    self.current = None
                    execution.over.set()
                    self.changed()
            self._more.clear()
            await self._more.wait()

    async def _carry_out(self, execution: Execution) -> None:
        command = execution.command
        log = self._log.bind(command_id=command.id, task_id=command.task_id, type=command.type)
        try:
            motion = await self._prepare(execution)
            await self._reports.add(command.id, "ACCEPTED", {})
            execution.started = True
            await self._reports.add(command.id, "STARTED", self._whereabouts())
            log.info("command.started")
            await self._drive(execution, motion)
        except (MalformedError, DriveRefusedError, DriveFailedError) as error:
            await self._helm.standstill()
            kind = "FAILED" if execution.started else "REFUSED"
            log.warning("command.not_done", reported=kind, reason=str(error))
            await self._reports.add(command.id, kind, {"message": str(error)})
        except HaltedError:
            await self._halted(execution)
        else:
            if command.type == "NAVIGATE":
                await self._reports.add(command.id, "ARRIVED", self._whereabouts())
            await self._reports.add(command.id, "SUCCEEDED", self._whereabouts())
            log.info("command.succeeded")

    async def _prepare(self, execution: Execution) -> Motion:
        """Everything that must be true before the robot moves; raises with the reason if not."""
        command = execution.command
        if self._helm.stopped is not False:
            self.changed()  # a go may overtake its resume: ask LUNA at once what holds
            await self._helm.may_move(self._timing.stop_doubt)
        self._ensure_wanted(execution)
        if self._helm.stopped is not False:
            raise DriveRefusedError("The robot is stopped.")
        if self._helm.state.emergency_stop:
            raise DriveRefusedError("The stop button on the robot is pressed.")
        if command.deadline and datetime.now(UTC) + self.clock_ahead > command.deadline:
            raise DriveRefusedError(f"The command came after its deadline {command.deadline}.")
        return self._motion(command)

    def _motion(self, command: Command) -> Motion:
        if command.type == "UNDOCK":
            return self._driver.undock
        if command.type == "DOCK":
            dock = waypoint_from(command.payload.get("waypoint"))
            return lambda: self._driver.dock(dock)
        _ensure_loaded(command.payload)
        route = planned_route(command.payload, self._helm.state.pose)
        return lambda: self._driver.navigate(route)

    async def _drive(self, execution: Execution, motion: Motion) -> None:
        self._ensure_wanted(execution)
        progress = asyncio.create_task(self._report_progress_on_the_way(execution))
        try:
            driving = asyncio.ensure_future(self._helm.drive(motion()))
            await asyncio.sleep(0)  # let it begin, so that the heartbeat tells of it
            self.changed()
            await driving
        finally:
            progress.cancel()

    def _ensure_wanted(self, execution: Execution) -> None:
        if execution.ended_as is not None or execution.stops_before != self._helm.stops:
            raise HaltedError

    async def _halted(self, execution: Execution) -> None:
        kind = execution.ended_as
        command = execution.command
        await self._helm.standstill()
        if kind in {"CANCELLED", "FAILED"}:
            details = {"message": execution.why, **self._whereabouts()}
            await self._reports.add(command.id, str(kind), details)
        elif kind is None and not execution.started:
            details = {"message": "The robot was stopped before it could begin."}
            await self._reports.add(command.id, "REFUSED", details)
        self._log.warning(
            "command.halted",
            command_id=command.id,
            task_id=command.task_id,
            ended_as=kind or "STOPPED",
            reason=execution.why or None,
        )

    async def _report_progress_on_the_way(self, execution: Execution) -> None:
        while True:
            await asyncio.sleep(self._timing.progress)
            await self.report_progress(execution)

    async def report_progress(self, execution: Execution) -> None:
        """Tell how far it is, unless the last report has not even left yet."""
        if execution.started and not self._reports.has_unsent(execution.command.id):
            await self._reports.add(execution.command.id, "PROGRESS", self._whereabouts())

    def _whereabouts(self) -> Json:
        state = self._helm.state
        return {
            "pose": state.pose.as_json(),
            "remaining_m": round(state.remaining_m, 2),
            "speed": round(state.speed, 3),
        }


def _ensure_loaded(payload: Json) -> None:
    """The last door: no leaving with a book whose loading nobody has confirmed."""
    task = payload.get("task")
    if task is None:
        return
    stage = mapping(task, "task").get("stage")
    if stage == NEEDS_LOADING_PROOF and not payload.get("loading_proof_id"):
        raise DriveRefusedError("The loading has not been confirmed.")
