"""Traces of commands: each is a span of the trace that its id names, as are LUNA's of its reports.

Sent as OTLP over HTTP to LUNA_TRACES_ENDPOINT; without that setting nothing is recorded.
"""

import asyncio
import os
from datetime import datetime
from typing import Any

import httpx

from bridge.logs import Log
from bridge.protocol.journal import Event

ENDPOINT = "LUNA_TRACES_ENDPOINT"
FINAL = frozenset({"SUCCEEDED", "FAILED", "REFUSED", "CANCELLED"})
ERROR_STATUS = 2
SEND_TIMEOUT_S = 2.0
MAX_OPEN = 100  # commands; the oldest is forgotten


def request_id(command_id: str) -> str:
    """Return the request id under which everything about a command is reported."""
    return f"req_{command_id.replace('-', '')}"


class Traces:
    """Records when a command began, and sends its span when its end has been reported."""

    def __init__(self, log: Log) -> None:
        self._endpoint = os.environ.get(ENDPOINT, "")
        self._log = log
        self._began: dict[str, str] = {}
        self._sending: set[asyncio.Task[None]] = set()

    def record(self, event: Event) -> None:
        """Record a report that LUNA has received."""
        if not self._endpoint:
            return
        at = str(event.details["at"])
        began = self._began.setdefault(event.command_id, at)
        if event.type in FINAL:
            del self._began[event.command_id]
            task = asyncio.create_task(self._send(span(event, began, at)))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        while len(self._began) > MAX_OPEN:
            del self._began[next(iter(self._began))]

    async def _send(self, own: dict[str, Any]) -> None:
        name = {"key": "service.name", "value": {"stringValue": "bridge"}}
        body = {
            "resourceSpans": [
                {
                    "resource": {"attributes": [name]},
                    "scopeSpans": [{"scope": {"name": "luna"}, "spans": [own]}],
                }
            ]
        }
        url = f"{self._endpoint.rstrip('/')}/v1/traces"
        try:
            async with httpx.AsyncClient(timeout=SEND_TIMEOUT_S) as client:
                await client.post(url, json=body)
        except httpx.HTTPError as error:
            self._log.warning("trace.not_sent", reason=str(error))


def span(event: Event, began: str, ended: str) -> dict[str, Any]:
    """Return the span of a command in the JSON of OTLP."""
    trace_id = event.command_id.replace("-", "")
    return {
        "traceId": trace_id,
        "spanId": trace_id[::-1][:16],
        "parentSpanId": trace_id[:16],
        "name": "command",
        "kind": 1,
        "startTimeUnixNano": _nanoseconds(began),
        "endTimeUnixNano": _nanoseconds(ended),
        "attributes": [{"key": "command.end", "value": {"stringValue": event.type}}],
        "status": {} if event.type == "SUCCEEDED" else {"code": ERROR_STATUS},
    }


def _nanoseconds(at: str) -> str:
    return str(round(datetime.fromisoformat(at).timestamp() * 1000) * 1_000_000)
