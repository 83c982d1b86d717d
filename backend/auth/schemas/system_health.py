"""Response models of the system health."""

from enum import StrEnum

from pydantic import ConfigDict

from backend.shared.web.schemas import ResponseModel, Timestamp


class PartState(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"  # the database that would tell does not answer


class PartRead(ResponseModel):
    """One part of the system; `age_seconds` since its last sign of life."""

    name: str
    state: PartState
    age_seconds: float | None = None
    instances: int | None = None


class WatchdogState(StrEnum):
    OK = "OK"
    LATE = "LATE"  # one is on its way for longer than 30 s
    NONE = "NONE"  # none was sent of late


class WatchdogRead(ResponseModel):
    """The last round trip of a synthetic event through outbox, relay, broker and worker."""

    state: WatchdogState
    round_trip_seconds: float | None = None
    sent_at: Timestamp | None = None


class HealthRead(ResponseModel):
    """Whether the system is whole, part by part."""

    whole: bool
    parts: list[PartRead]
    watchdog: WatchdogRead
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "whole": True,
                    "parts": [
                        {"name": "book-service", "state": "UP", "age_seconds": 0.8, "instances": 1}
                    ],
                    "watchdog": {
                        "state": "OK",
                        "round_trip_seconds": 0.02,
                        "sent_at": "2026-01-15T10:30:00.000Z",
                    },
                }
            ]
        }
    )
