"""Pages of reference that are made from the code: events and their schemas, errors."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from backend.shared import events
from backend.shared.errors import LunaError
from backend.shared.events import Event
from backend.shared.messaging import realtime, subscriptions

_MADE = (
    "<!-- Made by `python -m ops.docs.openapi` (`./luna fix`) from the code: change it there. -->"
)
_FAMILIES = {
    "catalog": "Catalogue",
    "circulation": "Circulation",
    "delivery": "Delivery",
    "robot": "Robots",
    "account": "Accounts",
    "notification": "Notifications",
    "system": "The chain itself",
}
_ENVELOPE = {
    "title": "Envelope",
    "type": "object",
    "required": [
        *("eventId", "eventType", "timestamp", "source", "requestId"),
        *("aggregate", "version", "payload"),
    ],
    "properties": {
        "eventId": {"type": "string", "format": "uuid", "description": "UUID version 7"},
        "eventType": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "source": {"type": "string", "description": "the service that says so"},
        "requestId": {"type": ["string", "null"], "description": "of the call that caused it"},
        "aggregate": {
            "type": "object",
            "required": ["type", "id", "seq"],
            "properties": {
                "type": {"type": "string"},
                "id": {"type": "string", "format": "uuid"},
                "seq": {"type": "integer", "minimum": 1, "description": "counts its events"},
            },
        },
        "version": {"type": "integer", "minimum": 1},
        "payload": {"type": "object", "description": "see `events` by `eventType`"},
    },
}


def event_kinds() -> list[type[Event]]:
    """Every event of the system, family by family."""
    families = list(_FAMILIES)
    return sorted(
        events.BY_TYPE.values(), key=lambda kind: (families.index(_family(kind)), kind.TYPE)
    )


def _family(kind: type[Event]) -> str:
    return kind.TYPE.partition(".")[0]


def event_schemas() -> dict[str, Any]:
    """The envelope and each event's payload as JSON Schema."""
    kinds = event_kinds()
    refs, definitions = models_json_schema(
        [(kind, "serialization") for kind in kinds], ref_template="#/$defs/{model}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "LUNA's events",
        "envelope": _ENVELOPE,
        "events": {kind.TYPE: refs[kind, "serialization"] for kind in kinds},
        "$defs": dict(sorted(definitions["$defs"].items())),
    }


def _topics(kind: type[Event]) -> list[str]:
    """The live view's topics, with the name of the field that tells the id."""
    ids = {name: f"{{{name}}}" for name in kind.model_fields if name.endswith("_id")}
    shown = realtime.topics(kind.TYPE, ids)
    return ["me" if topic == "user:{user_id}" else topic for topic in shown]


def _listed(names: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "—"


def events_page() -> str:
    """docs/events.md: what happens, who says it, who reacts."""
    lines = [
        "# Events",
        "",
        _MADE,
        "",
        "An event is written to the outbox in the transaction of its change, and is finished when",
        "every consumer has done its work ([architecture](architecture.md#the-chain-of-events)).",
        "The models are in `backend/shared/events/`, the reactions in",
        "`backend/shared/messaging/subscriptions.py`, the topics of the live view in",
        "`backend/shared/messaging/realtime.py`; the JSON Schema of each is in",
        "[events.json](events.json).",
    ]
    family = ""
    for kind in event_kinds():
        if _family(kind) != family:
            family = _family(kind)
            lines += ["", f"## {_FAMILIES[family]}", ""]
            lines += ["| event | means | from | consumers | live view |", "|---|---|---|---|---|"]
        means = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
        consumers = _listed(subscriptions.consumers_of(kind.TYPE))
        lines.append(
            f"| `{kind.TYPE}` | {means} | {kind.SOURCE} | {consumers} | {_listed(_topics(kind))} |"
        )
    lines += ["", "## Fields", ""]
    for kind in event_kinds():
        lines.append(f"* `{kind.TYPE}`: {_listed(tuple(kind.model_fields))}")
    return "\n".join(lines) + "\n"


def error_kinds() -> list[type[LunaError]]:
    """The error that declares each code, in the order of status and code."""
    own = {kind.code: kind for kind in _all_kinds(LunaError) if "code" in kind.__dict__}
    return sorted(own.values(), key=lambda kind: (kind.status, kind.code))


def told(kind: type[LunaError]) -> str:
    """The message, with a gap where it names something."""
    return re.sub(r"\{\w+\}", "…", kind.message)


def _all_kinds(kind: type[LunaError]) -> Iterator[type[LunaError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _all_kinds(each)


def errors_page() -> str:
    """docs/errors.md: every code a client can meet."""
    lines = [
        "# Errors",
        "",
        _MADE,
        "",
        "Every failure is answered in one envelope with its `code`, a `message` for people, and",
        "`details`. Each code is declared once, in `backend/shared/errors.py`. The gRPC status is",
        "what the RPC interface, which is not there yet, will answer.",
        "",
        "| status | code | message | gRPC |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {kind.status} | `{kind.code}` | {told(kind)} | {kind.grpc} |" for kind in error_kinds()
    ]
    return "\n".join(lines) + "\n"
