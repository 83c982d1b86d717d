"""Command events on disk until LUNA has answered them; survives a crash of the bridge.

JSON lines: `event` was reported, `answered` may be forgotten, `lease` gives a command a newer
token, `mark` keeps a command's last number and its end. A torn last line (power cut) is skipped.
The file is rewritten whole, by rename, when it has grown and nothing is unsent.
"""

import asyncio
import json
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.messages import Json

ENDS = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "REFUSED"})
REMEMBERED_COMMANDS = 64
TRIM_AT_LINES = 256


@dataclass(frozen=True, slots=True)
class Event:
    """What the robot did with a command; `number` counts from 1 within the command."""

    command_id: str
    number: int
    type: str
    details: Json


@dataclass(slots=True)
class CommandRecord:
    """What outlives a command's events: its last number, its token, and how it ended."""

    number: int = 0
    lease_token: int = 0
    end: Json | None = None  # {type, **details} of its last event


class Journal:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._writing = asyncio.Lock()
        self._lines = 0
        self._marks: OrderedDict[str, CommandRecord] = OrderedDict()
        self.unsent: list[Event] = []
        self._load()
        self._out = self._file.open("ab", buffering=0)

    def close(self) -> None:
        self._out.close()

    def mark(self, command_id: str) -> CommandRecord:
        """What is known of the command; a fresh mark for one never seen."""
        return self._marks.get(command_id, CommandRecord())

    async def append(self, command_id: str, kind: str, details: Json) -> Event:
        """Number the event and put it on disk; progress may be lost in a power cut, no other."""
        event = Event(command_id, self.mark(command_id).number + 1, kind, details)
        self._note(event)
        await self._write(self._event_line(event), durable=kind != "PROGRESS")
        return event

    async def lease(self, command_id: str, lease_token: int) -> None:
        """The command is held under this token from now on; its unsent events will carry it."""
        self._remember(command_id).lease_token = lease_token
        await self._write({"lease": lease_token, "command": command_id}, durable=False)

    async def answered(self, event: Event) -> None:
        """LUNA has the event, or will never want it."""
        self._forget(event.command_id, event.number)
        await self._write({"answered": event.number, "command": event.command_id}, durable=False)
        if self._lines >= TRIM_AT_LINES and not self.unsent:
            await self._trim()

    async def _write(self, line: Json, *, durable: bool) -> None:
        async with self._writing:
            self._out.write(_encode(line))
            self._lines += 1
            if durable:
                await asyncio.to_thread(os.fsync, self._out.fileno())

    async def _trim(self) -> None:
        """Keep the marks and what is unsent; a line that still waits to be written may repeat."""
        async with self._writing:
            lines = [self._mark_line(name, mark) for name, mark in self._marks.items()]
            lines += [self._event_line(event) for event in self.unsent]
            fresh = self._file.with_suffix(".new")
            await asyncio.to_thread(_write_durably, fresh, b"".join(map(_encode, lines)))
            self._out.close()
            fresh.replace(self._file)
            self._out = self._file.open("ab", buffering=0)
            self._lines = len(lines)

    @staticmethod
    def _event_line(event: Event) -> Json:
        return {
            "event": event.type,
            "command": event.command_id,
            "number": event.number,
            "details": event.details,
        }

    @staticmethod
    def _mark_line(command_id: str, mark: CommandRecord) -> Json:
        return {
            "mark": mark.number,
            "command": command_id,
            "lease": mark.lease_token,
            "end": mark.end,
        }

    def _load(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        content = self._file.read_bytes() if self._file.exists() else b""
        if content and not content.endswith(b"\n"):
            with self._file.open("ab") as torn:
                torn.write(b"\n")
        for raw in content.splitlines():
            try:
                self._replay(json.loads(raw))
            except (ValueError, KeyError, TypeError):
                continue
            self._lines += 1

    def _replay(self, line: dict[str, Any]) -> None:
        command_id = str(line["command"])
        if "event" in line:
            details = dict(line["details"])
            self._note(Event(command_id, int(line["number"]), str(line["event"]), details))
        elif "answered" in line:
            self._forget(command_id, int(line["answered"]))
        elif "mark" in line:
            kept = CommandRecord(int(line["mark"]), int(line["lease"]), line["end"])
            self._marks[command_id] = kept
        else:
            self._remember(command_id).lease_token = int(line["lease"])

    def _note(self, event: Event) -> None:
        mark = self._remember(event.command_id)
        mark.number = event.number
        mark.end = {"type": event.type, **event.details} if event.type in ENDS else None
        known = any(
            (other.command_id, other.number) == (event.command_id, event.number)
            for other in self.unsent
        )
        if not known:
            self.unsent.append(event)

    def _forget(self, command_id: str, number: int) -> None:
        self.unsent = [
            event
            for event in self.unsent
            if (event.command_id, event.number) != (command_id, number)
        ]

    def _remember(self, command_id: str) -> CommandRecord:
        mark = self._marks.setdefault(command_id, CommandRecord())
        self._marks.move_to_end(command_id)
        while len(self._marks) > REMEMBERED_COMMANDS:
            self._marks.popitem(last=False)
        return mark


def _encode(line: Json) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _write_durably(file: Path, content: bytes) -> None:
    with file.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
