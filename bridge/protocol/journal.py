"""Command events, stored on disk until LUNA has answered them.

JSON lines: `event` was reported, `answered` removes one, `lease` sets a command's token, `mark`
holds a command's last number and its end. An incomplete last line (power cut) is skipped. The file
is rewritten, by rename, when it has grown and no event is unsent.
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
MAX_COMMANDS = 64
MAX_LINES = 256


@dataclass(frozen=True, slots=True)
class Event:
    """A report about a command; `number` counts from 1 within the command."""

    command_id: str
    number: int
    type: str
    details: Json


@dataclass(slots=True)
class CommandRecord:
    """What is kept of a command: its last number, its lease token and its end."""

    number: int = 0
    lease_token: int = 0
    end: Json | None = None  # {type, **details} of its last event


class Journal:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._writing = asyncio.Lock()
        self._lines = 0
        self._records: OrderedDict[str, CommandRecord] = OrderedDict()
        self.unsent: list[Event] = []
        self._load()
        self._out = self._file.open("ab", buffering=0)

    def close(self) -> None:
        self._out.close()

    def record(self, command_id: str) -> CommandRecord:
        """The record of the command; an empty one for an unknown command."""
        return self._records.get(command_id, CommandRecord())

    async def append(self, command_id: str, kind: str, details: Json) -> Event:
        """Number and store the event; only PROGRESS may be lost in a power cut."""
        event = Event(command_id, self.record(command_id).number + 1, kind, details)
        self._add(event)
        await self._write(self._event_line(event), durable=kind != "PROGRESS")
        return event

    async def lease(self, command_id: str, lease_token: int) -> None:
        """Set the command's lease token; its unsent events will carry it."""
        self._record_of(command_id).lease_token = lease_token
        await self._write({"lease": lease_token, "command": command_id}, durable=False)

    async def answered(self, event: Event) -> None:
        """Remove an event that LUNA has answered."""
        self._remove(event.command_id, event.number)
        await self._write({"answered": event.number, "command": event.command_id}, durable=False)
        if self._lines >= MAX_LINES and not self.unsent:
            await self._trim()

    async def _write(self, line: Json, *, durable: bool) -> None:
        async with self._writing:
            self._out.write(_encode(line))
            self._lines += 1
            if durable:
                await asyncio.to_thread(os.fsync, self._out.fileno())

    async def _trim(self) -> None:
        """Keep the records and unsent events; a line that is being written may repeat."""
        async with self._writing:
            lines = [self._record_line(name, record) for name, record in self._records.items()]
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
    def _record_line(command_id: str, record: CommandRecord) -> Json:
        return {
            "mark": record.number,
            "command": command_id,
            "lease": record.lease_token,
            "end": record.end,
        }

    def _load(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        content = self._file.read_bytes() if self._file.exists() else b""
        if content and not content.endswith(b"\n"):
            with self._file.open("ab") as out:
                out.write(b"\n")
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
            self._add(Event(command_id, int(line["number"]), str(line["event"]), details))
        elif "answered" in line:
            self._remove(command_id, int(line["answered"]))
        elif "mark" in line:
            kept = CommandRecord(int(line["mark"]), int(line["lease"]), line["end"])
            self._records[command_id] = kept
        else:
            self._record_of(command_id).lease_token = int(line["lease"])

    def _add(self, event: Event) -> None:
        record = self._record_of(event.command_id)
        record.number = event.number
        record.end = {"type": event.type, **event.details} if event.type in ENDS else None
        known = any(
            (other.command_id, other.number) == (event.command_id, event.number)
            for other in self.unsent
        )
        if not known:
            self.unsent.append(event)

    def _remove(self, command_id: str, number: int) -> None:
        self.unsent = [
            event
            for event in self.unsent
            if (event.command_id, event.number) != (command_id, number)
        ]

    def _record_of(self, command_id: str) -> CommandRecord:
        record = self._records.setdefault(command_id, CommandRecord())
        self._records.move_to_end(command_id)
        while len(self._records) > MAX_COMMANDS:
            self._records.popitem(last=False)
        return record


def _encode(line: Json) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _write_durably(file: Path, content: bytes) -> None:
    with file.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
