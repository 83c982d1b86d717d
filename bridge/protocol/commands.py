"""Takes commands from LUNA's long poll; CANCEL, PAUSE and RESUME overtake the drive under way.

A command delivered again is never driven twice: under way, it goes on under the newer lease;
done, its end is told again.
"""

from collections.abc import Awaitable, Callable

from bridge.logs import Log
from bridge.messages import Command, Json, MalformedError, command_from, text
from bridge.motion.executor import MOTIONS, Execution, Executor
from bridge.motion.motion_controller import TOLD_TO_PAUSE, MotionController
from bridge.protocol.journal import Journal
from bridge.protocol.long_poll import LongPoll
from bridge.protocol.reports import Reports


class Commands:
    def __init__(
        self,
        executor: Executor,
        helm: MotionController,
        journal: Journal,
        reports: Reports,
        log: Log,
    ) -> None:
        self._executor = executor
        self._helm = helm
        self._journal = journal
        self._reports = reports
        self._log = log
        self._at_once: dict[str, Callable[[Command], Awaitable[str]]] = {
            "CANCEL": self._cancel,
            "PAUSE": self._pause,
            "RESUME": self._resume,
            "ANNOUNCE": self._announce,
        }

    async def listen(self, poll: LongPoll, epoch: int) -> None:
        """Take commands for ever."""
        while True:
            data = await poll.ask("/commands/next", {"epoch": epoch})
            if data is None:
                continue
            try:
                command = command_from(data)
            except MalformedError as error:
                self._log.alarm("command.not_understood", reason=str(error))
                await poll.not_understood(error)
            else:
                await self.take(command)

    async def lost(self, command_id: str) -> None:
        """LUNA has taken the command away: stand still and forget it."""
        execution = self._executor.find(command_id)
        if execution is not None:
            await self._executor.end(execution, "LOST", "LUNA has taken the command away.")

    async def take(self, command: Command) -> None:
        if command.lease_token < self._journal.mark(command.id).lease_token:
            return  # an old delivery that arrives late
        log = self._log.bind(command_id=command.id, task_id=command.task_id)
        log.info("command.received", type=command.type, lease_token=command.lease_token)
        await self._journal.lease(command.id, command.lease_token)
        execution = self._executor.find(command.id)
        if execution is not None and execution.ended_as is None:
            await self._report_again(execution)
            return
        if execution is not None:
            await execution.over.wait()
        end = self._journal.mark(command.id).end
        if end is not None:
            await self._report_end_again(command, end)
        elif command.type in MOTIONS:
            await self._line_up(command)
        else:
            await self._do_at_once(command)

    async def _report_again(self, execution: Execution) -> None:
        if execution.started:
            await self._reports.add(execution.command.id, "ACCEPTED", {})
            await self._reports.add(execution.command.id, "STARTED", {})

    async def _report_end_again(self, command: Command, end: Json) -> None:
        if not self._reports.has_unsent(command.id):
            details = {name: value for name, value in end.items() if name != "type"}
            await self._reports.add(command.id, end["type"], details)

    async def _line_up(self, command: Command) -> None:
        """LUNA keeps one active command a robot: ask whether the present one still stands."""
        self._executor.submit(command)
        if self._executor.current is not None:
            await self._executor.report_progress(self._executor.current)

    async def _do_at_once(self, command: Command) -> None:
        action = self._at_once.get(command.type)
        if action is None:
            message = f"This robot does not know {command.type}."
            await self._reports.add(command.id, "REFUSED", {"message": message})
            return
        await self._reports.add(command.id, "ACCEPTED", {})
        await self._reports.add(command.id, "STARTED", {})
        try:
            message = await action(command)
        except MalformedError as error:
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
        await self._helm.hold(TOLD_TO_PAUSE)
        await self._helm.standstill()
        return "The robot is paused."

    async def _resume(self, _command: Command) -> str:
        await self._helm.release(TOLD_TO_PAUSE)
        return "The robot may go on."

    async def _announce(self, command: Command) -> str:
        words = text(command.payload, "text")
        self._log.info("announce", command_id=command.id, text=words)
        return "Announced."
