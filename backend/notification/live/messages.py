"""What the server says on the WebSocket, as text: made once per topic, not once per socket."""

import json
from datetime import datetime
from typing import Any

from backend.shared.errors import LunaError
from backend.shared.infra import clock


def _plain(value: Any) -> Any:
    return clock.iso(value) if isinstance(value, datetime) else str(value)


def _message(
    kind: str,
    topic: str | None,
    *,
    pos: int | None = None,
    event: str | None = None,
    at: str | None = None,
    data: Any = None,
) -> str:
    said = {
        "v": 1,
        "type": kind,
        "topic": topic,
        "pos": pos,
        "event": event,
        "at": at or clock.iso(clock.now()),
        "data": data,
    }
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False, default=_plain)


def snapshot(topic: str, pos: int, data: dict[str, Any]) -> str:
    """How the topic stands; it holds every event up to `pos`."""
    return _message("snapshot", topic, pos=pos, data=data)


def event(topic: str, envelope: dict[str, Any]) -> str:
    """One change, from the envelope that the relay published."""
    return _message(
        "event",
        topic,
        pos=envelope["pos"],
        event=envelope["eventType"],
        at=envelope["timestamp"],
        data=envelope["payload"],
    )


def position(topic: str, data: dict[str, Any]) -> str:
    """Where a robot is now; without `pos`, since only the latest counts."""
    return _message("event", topic, event="robot.position", data=data)


def resync(topic: str) -> str:
    """Something may have been missed; a fresh snapshot follows."""
    return _message("resync", topic)


def error(topic: str | None, problem: LunaError) -> str:
    return _message("error", topic, data={"code": problem.code, "message": problem.text})


def pong() -> str:
    return _message("pong", None)
