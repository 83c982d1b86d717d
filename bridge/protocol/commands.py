"""Receives commands through the long poll; CANCEL, PAUSE and RESUME overtake a drive.

A command that is delivered again is never driven twice: one under way continues under the newer
lease, the end of a finished one is reported again.
"""

from collections.abc import Awaitable, Callable

from bridge.drivers.base import DriveRefusedError
from bridge.logs import Log
from bridge.messages import Command, Json, MalformedError, command_from, text
from bridge.motion.executor import MOTIONS, Execution, Executor
from bridge.motion.motion_controller import PAUSE_COMMAND, MotionController
from bridge.protocol.journal import Journal
from bridge.protocol.long_poll import LongPoll
from bridge.protocol.reports import Reports


class Commands:
    def __init__(
        self,
        executor: Executor,
        controller: MotionController,
        journal: Journal,
        reports: Reports,
        log: Log,
        *,
        can_say: bool,
    ) -> None:
        self._can_say = can_say
        self._executor = executor
        self._controller = controller
        self._journal = journal
        self._reports = reports
        self._log = log
        self._immediate: dict[str, Callable[[Command], Awaitable[str]]] = {
            "CANCEL": self._cancel,
            "PAUSE": self._pause,
            "RESUME": self._resume,
            "ANNOUNCE": self._announce,
        }

    async def listen(self, poll: LongPoll, epoch: int) -> None:
        """Receive commands forever."""
        while True:
            data = await poll.ask("/commands/next", {"epoch": epoch})
            if data is None:
                continue
            try:
                command = command_from(data)
            except MalformedError as error:
                self._log.error("command.malformed", reason=str(error))
                await poll.back_off(error)
            else:
                await self.take(command)

    async def lost(self, command_id: str) -> None:
        """Halt a command whose lease is lost."""
        execution = self._executor.find(command_id)
        if execution is not None:
            await self._executor.end(execution, "LOST", "The lease was lost.")

    async def take(self, command: Command) -> None:
        if command.lease_token < self._journal.record(command.id).lease_token:
            return  # a late delivery under an older lease
        log = self._log.bind(command_id=command.id, task_id=command.task_id)
        log.info("command.received", type=command.type, lease_token=command.lease_token)
        await self._journal.lease(command.id, command.lease_token)
        execution = self._executor.find(command.id)
        if execution is not None and execution.ended_as is None:
            await self._repeat_start(execution)
            return
        if execution is not None:
            await execution.finished.wait()
        end = self._journal.record(command.id).end
        if end is not None:
            await self._repeat_end(command, end)
        elif command.type in MOTIONS:
            await self._enqueue(command)
        else:
            await self._run_immediately(command)

    async def _repeat_start(self, execution: Execution) -> None:
        if execution.started:
            await self._reports.add(execution.command.id, "ACCEPTED", {})
            await self._reports.add(execution.command.id, "STARTED", {})

    async def _repeat_end(self, command: Command, end: Json) -> None:
        if not self._reports.has_unsent(command.id):
            if end["type"] == "SUCCEEDED":  # LUNA has queued it again: a success follows a start
                await self._reports.add(command.id, "ACCEPTED", {})
                await self._reports.add(command.id, "STARTED", {})
            details = {name: value for name, value in end.items() if name != "type"}
            await self._reports.add(command.id, end["type"], details)

    async def _enqueue(self, command: Command) -> None:
        """Queue the command and report progress, which shows whether the current one is void."""
        self._executor.submit(command)
        if self._executor.current is not None:
            await self._executor.report_progress(self._executor.current)

    async def _run_immediately(self, command: Command) -> None:
        action = self._immediate.get(command.type)
        if action is None:
            message = f"Unknown command type: {command.type}."
            await self._reports.add(command.id, "REFUSED", {"message": message})
            return
        await self._reports.add(command.id, "ACCEPTED", {})
        await self._reports.add(command.id, "STARTED", {})
        try:
            message = await action(command)
        except (MalformedError, DriveRefusedError) as error:
            await self._reports.add(command.id, "FAILED", {"message": str(error)})
        else:
            await self._reports.add(command.id, "SUCCEEDED", {"message": message})

    async def _cancel(self, command: Command) -> str:
        execution = self._executor.find(text(command.payload, "command_id"))
        if execution is None:
            return "That command was not under way."
        await self._executor.end(execution, "CANCELLED", "LUNA cancelled the command.")
        return "The robot stands still."

    async def _pause(self, _command: Command) -> str:
        await self._controller.hold(PAUSE_COMMAND)
        await self._controller.standstill()
        return "The robot is paused."

    async def _resume(self, _command: Command) -> str:
        await self._controller.release(PAUSE_COMMAND)
        return "The robot continues."

    async def _announce(self, command: Command) -> str:
        if not self._can_say:
            raise DriveRefusedError("This robot has no voice.")
        message = text(command.payload, "text")
        self._log.info("announce", command_id=command.id, text=message)
        return "Announced."
