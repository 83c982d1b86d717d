"""Executes the commands that move the robot: one at a time, from acceptance to the end."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from bridge.clock import LunaClock
from bridge.drivers.base import DriveFailedError, Driver, DriveRefusedError
from bridge.logs import Log
from bridge.messages import Command, Json, MalformedError, mapping, waypoint_from
from bridge.motion.motion_controller import HaltedError, MotionController
from bridge.motion.route import planned_route
from bridge.timeouts import Timeouts

MOTIONS = frozenset({"NAVIGATE", "DOCK", "UNDOCK"})
NEEDS_LOADING_PROOF = (
    "TO_DESTINATION"  # the stage in which the robot carries a book to its destination
)

Motion: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
EndedAs: TypeAlias = Literal["CANCELLED", "FAILED", "LOST"]


class Reports(Protocol):
    """Records reports of a command; implemented by `protocol.reports`."""

    async def add(self, command_id: str, kind: str, details: Json) -> None: ...

    def has_unsent(self, command_id: str) -> bool: ...

    async def all_answered(self) -> None: ...


@dataclass(eq=False, slots=True)
class Execution:
    """A submitted command. `stops_before` is the number of stops before it was received."""

    command: Command
    stops_before: int
    started: bool = False
    ended_as: EndedAs | None = None  # set before its motion is halted from outside
    why: str = ""
    finished: asyncio.Event = field(default_factory=asyncio.Event)


class Executor:
    def __init__(
        self,
        driver: Driver,
        controller: MotionController,
        reports: Reports,
        clock: LunaClock,
        timeouts: Timeouts,
        log: Log,
    ) -> None:
        self._driver = driver
        self._controller = controller
        self._reports = reports
        self._clock = clock
        self._timeouts = timeouts
        self._log = log
        self._waiting: deque[Execution] = deque()
        self._submitted = asyncio.Event()
        self.current: Execution | None = None
        self.changed: Callable[[], None] = lambda: None

    @property
    def active_command(self) -> str | None:
        return self.current.command.id if self.current else None

    def submit(self, command: Command) -> None:
        """Queue a command behind the current one."""
        self._waiting.append(Execution(command, self._controller.stops))
        self._submitted.set()

    def find(self, command_id: str) -> Execution | None:
        """The execution of this command, if it is current or queued."""
        held = [*self._waiting, *([self.current] if self.current else [])]
        return next((each for each in held if each.command.id == command_id), None)

    async def end(self, execution: Execution, ended_as: EndedAs, why: str) -> None:
        """End an execution, and return when the robot is at standstill and the end is recorded."""
        execution.ended_as = execution.ended_as or ended_as
        execution.why = execution.why or why
        if execution in self._waiting:
            self._waiting.remove(execution)
            await self._halted(execution)
            execution.finished.set()
        elif execution is self.current:
            await self._controller.halt()
        await execution.finished.wait()

    async def fail_all(self, why: str) -> None:
        """End the current and all queued executions as FAILED."""
        held = [*([self.current] if self.current else []), *self._waiting]
        await asyncio.gather(*(self.end(execution, "FAILED", why) for execution in held))
        await self._controller.halt()

    async def confirm(self) -> None:
        """Return when LUNA has confirmed the current command, or it was halted as lost."""
        if self.current is not None:
            await self.report_progress(self.current)
            await self._reports.all_answered()

    async def run(self) -> None:
        while True:
            while self._waiting:
                self.current = execution = self._waiting.popleft()
                try:
                    await self._execute(execution)
                finally:
                    self.current = None
                    execution.finished.set()
                    self.changed()
            self._submitted.clear()
            await self._submitted.wait()

    async def _execute(self, execution: Execution) -> None:
        command = execution.command
        log = self._log.bind(command_id=command.id, task_id=command.task_id, type=command.type)
        try:
            motion = await self._prepare(execution)
            await self._reports.add(command.id, "ACCEPTED", {})
            execution.started = True
            await self._reports.add(command.id, "STARTED", self._position())
            log.info("command.started")
            await self._drive(execution, motion)
        except (MalformedError, DriveRefusedError, DriveFailedError) as error:
            await self._controller.standstill()
            kind = "FAILED" if execution.started else "REFUSED"
            log.warning("command.ended", reported=kind, reason=str(error))
            await self._reports.add(command.id, kind, {"message": str(error)})
        except HaltedError:
            await self._halted(execution)
        else:
            if command.type == "NAVIGATE":
                await self._reports.add(command.id, "ARRIVED", self._position())
            await self._reports.add(command.id, "SUCCEEDED", self._position())
            log.info("command.succeeded")

    async def _prepare(self, execution: Execution) -> Motion:
        """Check that the robot may move; raises with the reason if not."""
        command = execution.command
        await self._wait_for_release(execution)
        if self._controller.stopped is not False:
            raise DriveRefusedError("The robot is stopped.")
        if self._controller.state.emergency_stop:
            raise DriveRefusedError("The stop button on the robot is pressed.")
        if command.deadline and self._clock.now() > command.deadline:
            raise DriveRefusedError(f"The command came after its deadline {command.deadline}.")
        return self._motion(command)

    async def _wait_for_release(self, execution: Execution) -> None:
        """Wait until LUNA has reported the stop state, then once for a resume."""
        is_known = False
        while True:
            self._ensure_current(execution)
            if is_known or self._controller.stopped is False:
                return
            is_known = self._controller.stopped is not None
            self.changed()  # the command may have overtaken its resume: ask LUNA at once
            await self._controller.wait_until_released(self._timeouts.resume_wait)

    def _motion(self, command: Command) -> Motion:
        if command.type == "UNDOCK":
            return self._driver.undock
        if command.type == "DOCK":
            dock = waypoint_from(command.payload.get("waypoint"))
            return lambda: self._driver.dock(dock)
        _ensure_loaded(command.payload)
        route = planned_route(command.payload, self._controller.state.pose)
        return lambda: self._driver.navigate(route)

    async def _drive(self, execution: Execution, motion: Motion) -> None:
        self._ensure_current(execution)
        progress = asyncio.create_task(self._report_progress_regularly(execution))
        try:
            driving = asyncio.ensure_future(self._controller.drive(motion()))
            await asyncio.sleep(0)  # let it start, so that the heartbeat reports it
            self.changed()
            await driving
        finally:
            progress.cancel()

    def _ensure_current(self, execution: Execution) -> None:
        if execution.ended_as is not None or execution.stops_before != self._controller.stops:
            raise HaltedError

    async def _halted(self, execution: Execution) -> None:
        kind = execution.ended_as
        command = execution.command
        await self._controller.standstill()
        if kind in {"CANCELLED", "FAILED"}:
            details = {"message": execution.why, **self._position()}
            await self._reports.add(command.id, str(kind), details)
        elif kind is None and not execution.started:
            details = {"message": "The robot was stopped before it started."}
            await self._reports.add(command.id, "REFUSED", details)
        self._log.warning(
            "command.halted",
            command_id=command.id,
            task_id=command.task_id,
            ended_as=kind or "STOPPED",
            reason=execution.why or None,
        )

    async def _report_progress_regularly(self, execution: Execution) -> None:
        while True:
            await asyncio.sleep(self._timeouts.progress)
            await self.report_progress(execution)

    async def report_progress(self, execution: Execution) -> None:
        """Report the position, unless an earlier report is still unsent."""
        if execution.started and not self._reports.has_unsent(execution.command.id):
            await self._reports.add(execution.command.id, "PROGRESS", self._position())

    def _position(self) -> Json:
        state = self._controller.state
        return {
            "pose": state.pose.as_json(),
            "remaining_m": round(state.remaining_m, 2),
            "speed": round(state.speed, 3),
        }


def _ensure_loaded(payload: Json) -> None:
    """Refuse to drive to the destination with a book whose loading was not confirmed."""
    task = payload.get("task")
    if task is None:
        return
    stage = mapping(task, "task").get("stage")
    if stage == NEEDS_LOADING_PROOF and not payload.get("loading_proof_id"):
        raise DriveRefusedError("The loading has not been confirmed.")
