"""An HTTP transport that injects faults of the network, the clock and the program."""

import asyncio
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from bridge.logs import Log
from bridge.messages import Json
from bridge.simulation.faults import Kind, RobotFaults

LEASED = "LEASED"
TIME_FIELD = "at"


class SimulatedCrashError(Exception):
    """The bridge ends here as if it was killed; it starts again after `seconds`."""

    def __init__(self, step: str, seconds: float) -> None:
        super().__init__(f"crash at {step}")
        self.seconds = seconds


@dataclass(slots=True)
class _Link:
    """What all connections of one robot share."""

    lost_until: float = 0.0
    previous: httpx.Request | None = None  # newest write that has been sent

    def is_lost(self) -> bool:
        return time.monotonic() < self.lost_until


class FaultyNetwork:
    """Makes the connections of one robot; they lose the network together."""

    def __init__(self, faults: RobotFaults, log: Log) -> None:
        self._faults = faults
        self._log = log
        self._link = _Link()

    def wrap(self, http: httpx.AsyncClient) -> httpx.AsyncClient:
        """Let the client send through a faulty transport."""
        inner = http._transport  # noqa: SLF001  httpx has no public way to wrap a transport
        http._transport = _FaultyTransport(inner, self._faults, self._link, self._log)  # noqa: SLF001  likewise
        return http


class _FaultyTransport(httpx.AsyncBaseTransport):
    def __init__(
        self, inner: httpx.AsyncBaseTransport, faults: RobotFaults, link: _Link, log: Log
    ) -> None:
        self._inner = inner
        self._faults = faults
        self._link = link
        self._log = log

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return await self._poll(request)
        body: Json = json.loads(request.content)
        step = str(body.get("type", ""))
        if late := self._faults.draw(Kind.LATE):
            await asyncio.sleep(late.seconds)
        if lost := self._faults.draw(Kind.NETWORK_LOSS):
            self._link.lost_until = time.monotonic() + lost.seconds
        request = self._with_wrong_time(request, body)
        await self._send_old_epoch(request, body)
        answer = await self._send(request)
        if self._faults.draw(Kind.TWICE):
            await self._send_copy(request)
        await self._send_previous(request)
        self._crash_at(step)
        return answer

    async def _poll(self, request: httpx.Request) -> httpx.Response:
        answer = await self._send(request)
        if request.url.path.endswith("/commands/next") and answer.is_success:
            await answer.aread()
            if answer.json().get("data") is not None:
                self._crash_at(LEASED)
        return answer

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """Send unless the network is lost; an answer that comes during a loss is lost too."""
        if self._link.is_lost():
            raise httpx.ConnectError("the simulated network is down")
        answer = await self._inner.handle_async_request(request)
        if self._link.is_lost():
            await answer.aclose()
            raise httpx.ReadError("the simulated network went down")
        return answer

    async def _send_copy(self, request: httpx.Request) -> int:
        """Send once more and ignore the answer, except for its status."""
        answer = await self._send(request)
        await answer.aread()
        await answer.aclose()
        return answer.status_code

    async def _send_previous(self, request: httpx.Request) -> None:
        previous, self._link.previous = self._link.previous, request
        if previous is not None and self._faults.draw(Kind.REORDERED):
            await self._send_copy(previous)

    async def _send_old_epoch(self, request: httpx.Request, body: Json) -> None:
        if not body.get("epoch") or not self._faults.draw(Kind.OLD_EPOCH):
            return
        status = await self._send_copy(_changed(request, body | {"epoch": body["epoch"] - 1}))
        self._log.info("fault.old_epoch", status=status)

    def _with_wrong_time(self, request: httpx.Request, body: Json) -> httpx.Request:
        if TIME_FIELD not in body or (jump := self._faults.draw(Kind.CLOCK_JUMP)) is None:
            return request
        return _changed(request, body | {TIME_FIELD: _shifted(body[TIME_FIELD], jump.value)})

    def _crash_at(self, step: str) -> None:
        """End the bridge after LUNA has the request, and before the bridge knows that."""
        if step and (crash := self._faults.draw(Kind.CRASH, step)):
            raise SimulatedCrashError(step, crash.seconds)


def _shifted(at: Any, seconds: float) -> str:
    return (datetime.fromisoformat(str(at)) + timedelta(seconds=seconds)).isoformat()


def _changed(request: httpx.Request, body: Json) -> httpx.Request:
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    return httpx.Request(
        request.method, request.url, headers=headers, json=body, extensions=request.extensions
    )
