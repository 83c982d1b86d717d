"""Messages of the server on the WebSocket, as JSON text; made once a topic, not once a socket."""

import json
from datetime import datetime
from typing import Any

from backend.shared.errors import LunaError
from backend.shared.infra import clock


def _serialize(value: Any) -> Any:
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
    message = {
        "v": 1,
        "type": kind,
        "topic": topic,
        "pos": pos,
        "event": event,
        "at": at or clock.iso(clock.now()),
        "data": data,
    }
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, default=_serialize)


def snapshot(topic: str, pos: int, data: dict[str, Any]) -> str:
    """Present state of a topic, with every event up to `pos`."""
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
    """Position of a robot; without `pos`, since only the latest counts."""
    return _message("event", topic, event="robot.position", data=data)


def resync(topic: str) -> str:
    """Events may have been missed; a new snapshot follows."""
    return _message("resync", topic)


def error(topic: str | None, failure: LunaError) -> str:
    return _message("error", topic, data={"code": failure.code, "message": failure.text})


def pong() -> str:
    return _message("pong", None)
