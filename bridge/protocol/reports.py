"""Sends the journal's events to LUNA in order, each until it is answered."""

import asyncio
from collections.abc import Awaitable, Callable

from bridge.clock import LunaClock
from bridge.logs import Log
from bridge.messages import Json
from bridge.protocol import traces
from bridge.protocol.client import (
    ApiClient,
    DeclinedError,
    KeyRefusedError,
    LeaseLostError,
    SupersededError,
    UnreachableError,
)
from bridge.protocol.journal import Event, Journal

# error codes of a command that this bridge must no longer execute
LOST_CODES = frozenset({"LEASE_LOST", "INVALID_STATE_TRANSITION", "NOT_FOUND"})


class Reports:
    """Records and sends reports; `lost` is called with the id of a command whose lease is lost."""

    def __init__(self, client: ApiClient, journal: Journal, clock: LunaClock, log: Log) -> None:
        self._client = client
        self._journal = journal
        self._clock = clock
        self._log = log
        self._traces = traces.Traces(log)
        self._added = asyncio.Event()
        self._all_sent = asyncio.Event()
        self.lost: Callable[[str], Awaitable[None]] | None = None

    async def add(self, command_id: str, kind: str, details: Json) -> None:
        self._all_sent.clear()
        now = self._clock.now().isoformat(timespec="milliseconds")
        await self._journal.append(command_id, kind, {"at": now, **details})
        self._added.set()

    def has_unsent(self, command_id: str) -> bool:
        return any(event.command_id == command_id for event in self._journal.unsent)

    async def all_answered(self) -> None:
        """Wait until LUNA has answered all reports so far."""
        if self._journal.unsent:
            await self._all_sent.wait()

    async def send(self) -> None:
        """Send forever, first what an earlier run left unsent."""
        while True:
            while self._journal.unsent:
                await self._send(self._journal.unsent[0])
            self._all_sent.set()
            await self._added.wait()
            self._added.clear()

    async def _send(self, event: Event) -> None:
        token = self._journal.record(event.command_id).lease_token
        body = {
            "lease_token": token,
            "event_seq": event.number,
            "type": event.type,
            **event.details,
        }
        try:
            await self._client.call(
                "POST",
                f"/commands/{event.command_id}/events",
                body,
                request_id=traces.request_id(event.command_id),
            )
        except (UnreachableError, KeyRefusedError, SupersededError) as error:
            await self._client.recover(error)
            return
        except DeclinedError as error:
            await self._declined(event, token, error)
            return
        await self._journal.answered(event)
        self._traces.record(event)

    async def _declined(self, event: Event, token: int, error: DeclinedError) -> None:
        newer = self._journal.record(event.command_id).lease_token != token
        if isinstance(error, LeaseLostError) and newer:
            return  # a newer lease came meanwhile: send the event again under it
        await self._journal.answered(event)
        log = self._log.bind(command_id=event.command_id, type=event.type, number=event.number)
        log.warning("event.declined", reason=str(error))
        if error.code not in LOST_CODES:
            return
        for other in [e for e in self._journal.unsent if e.command_id == event.command_id]:
            await self._journal.answered(other)
        if self.lost is not None:
            await self.lost(event.command_id)
