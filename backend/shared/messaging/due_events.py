"""The events that are due: new ones, those that were sent before, and those of robots."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.infra import clock
from backend.shared.infra.database import Prepared
from backend.shared.messaging.subscriptions import PROMPT

BATCH = 500  # events


def _due(name: str, which: str) -> Prepared:
    """Return a statement that ends at its limit: the index has the order of the rows."""
    return Prepared(
        name,
        f"""
    SELECT id, event_type, source, aggregate_type, aggregate_id, seq, version, request_id, payload,
        created_at, resends, pos, shown_at
    FROM outbox
    WHERE acked_at IS NULL AND dead_at IS NULL AND next_attempt_at <= :now AND {which}
    ORDER BY next_attempt_at, id LIMIT :most FOR UPDATE SKIP LOCKED
    """,  # noqa: S608 (constants of this module)
    )


_NEW = _due("new_events", "resends = 0")
_SENT_BEFORE = _due("sent_events", "resends > 0")
_PROMPT = _due("prompt_events", "resends = 0 AND event_type = ANY(:types)")


@dataclass
class DueEvent:
    """A row of these statements, and what is stored of this attempt."""

    id: UUID
    event_type: str
    source: str
    aggregate_type: str
    aggregate_id: UUID
    seq: int
    version: int
    request_id: str | None
    payload: dict[str, Any]
    created_at: datetime
    resends: int
    pos: int | None
    shown_at: datetime | None
    topics: list[str] | None = None  # of a new row
    next_attempt_at: datetime = field(default_factory=clock.now)

    def stored(self) -> dict[str, object]:
        """Return what the relay stores of it."""
        return {
            "id": str(self.id),
            "next_attempt_at": self.next_attempt_at.isoformat(),
            "resends": self.resends,
            "pos": self.pos,
            "topics": self.topics,
        }


def due_events(session: Session) -> list[DueEvent]:
    """Lock the next rows that are due: events that wait for a worker must not delay new ones."""
    due = _locked(session, _NEW, BATCH)
    if len(due) < BATCH:
        due += _locked(session, _SENT_BEFORE, BATCH - len(due))
    return due


def prompt_events(session: Session) -> list[DueEvent]:
    """Lock the new rows of robots, which do not wait for a backlog of others."""
    return _locked(session, _PROMPT, BATCH, types=sorted(PROMPT))


def _locked(
    session: Session, statement: Prepared, most: int, **values: list[str]
) -> list[DueEvent]:
    rows = statement.run(session, {"now": clock.now(), "most": most, **values})
    return [DueEvent(**row) for row in rows.mappings()]
