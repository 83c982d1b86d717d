"""Response models of the system health."""

from enum import StrEnum

from pydantic import ConfigDict

from backend.shared.web.schemas import ResponseModel, Timestamp


class PartState(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"  # the database, which holds the heartbeats, does not respond


class PartRead(ResponseModel):
    """One component; `age_seconds` is the time since its last heartbeat."""

    name: str
    state: PartState
    age_seconds: float | None = None
    instances: int | None = None


class WatchdogState(StrEnum):
    OK = "OK"
    LATE = "LATE"  # one has been pending for more than 30 s
    NONE = "NONE"  # none has been processed recently


class WatchdogRead(ResponseModel):
    """The last round trip of a synthetic event through outbox, relay, broker and worker."""

    state: WatchdogState
    round_trip_seconds: float | None = None
    sent_at: Timestamp | None = None


class HealthRead(ResponseModel):
    """The health of every component; `whole` when all of them work."""

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
