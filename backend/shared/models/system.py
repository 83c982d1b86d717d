"""Tables shared by all services: events, idempotency keys, heartbeats, the audit trail."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.infra import clock
from backend.shared.models.base import Base, CreatedAt, Id


class OutboxEvent(Base):
    """An event, written with its change; finished when every consumer has processed it."""

    __tablename__ = "outbox"

    id: Mapped[Id]
    event_type: Mapped[str]
    source: Mapped[str]
    aggregate_type: Mapped[str]
    aggregate_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)
    request_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]
    next_attempt_at: Mapped[CreatedAt]
    resends: Mapped[int] = mapped_column(server_default="0")
    pos: Mapped[int | None] = mapped_column(BigInteger)  # its position in the live view
    # the topics of the live view that replay it; null before it has a position
    topics: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    shown_at: Mapped[datetime | None]  # published to the live view
    acked_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    last_error: Mapped[str | None]

    __table_args__ = (
        Index("uq_outbox_aggregate", "aggregate_type", "aggregate_id", "seq", unique=True),
        Index(
            "ix_outbox_due",
            "next_attempt_at",
            "id",
            postgresql_where=text("acked_at IS NULL AND dead_at IS NULL"),
        ),
        Index(
            "ix_outbox_not_shown",
            "id",
            postgresql_where=text("shown_at IS NULL"),
        ),
        Index("ix_outbox_created_at", "created_at"),
        Index("ix_outbox_dead", "event_type", postgresql_where=text("dead_at IS NOT NULL")),
        Index("ix_outbox_pos", "pos"),
    )


class AggregateSequence(Base):
    """The last event number of each aggregate; its row lock orders concurrent writers."""

    __tablename__ = "aggregate_sequences"

    aggregate_type: Mapped[str] = mapped_column(primary_key=True)
    aggregate_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class LivePosition(Base):
    """One row: the counter of the live view, incremented under its lock by the relay."""

    __tablename__ = "live_position"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pos: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class ProcessedEvent(Base):
    """The inbox: a consumer's effect and this row are one transaction."""

    __tablename__ = "processed_events"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    consumer: Mapped[str] = mapped_column(primary_key=True)
    aggregate_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    processed_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("ix_processed_events_order", "consumer", "aggregate_id", "seq"),
        Index("ix_processed_events_processed_at", "processed_at"),
    )


class EventRun(Base):
    """Runs of a consumer that began and have not succeeded."""

    __tablename__ = "event_runs"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    consumer: Mapped[str] = mapped_column(primary_key=True)
    runs: Mapped[int]
    last_error: Mapped[str | None]
    updated_at: Mapped[CreatedAt]


IDEMPOTENCY_KEY_LIFE = timedelta(hours=24)


class IdempotencyKey(Base):
    """The first response of a POST, stored in the transaction that did the work."""

    __tablename__ = "idempotency_keys"

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str]
    body_hash: Mapped[str]
    status: Mapped[int]
    location: Mapped[str | None]
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)


class ProcessHeartbeat(Base):
    """The last heartbeat of a running component, and since when none was missed."""

    __tablename__ = "part_heartbeats"

    part: Mapped[str] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    at: Mapped[datetime]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class AuditLog(Base):
    """Who did what. Append-only for the application's database role. Partitions by month."""

    __tablename__ = "audit_logs"

    id: Mapped[Id]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str]
    resource_type: Mapped[str]
    resource_id: Mapped[str | None]
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    ip_address: Mapped[str | None]
    request_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(primary_key=True, default=clock.now)

    __table_args__ = (
        Index("ix_audit_logs_created_at", "created_at", "id"),
        Index("ix_audit_logs_user_id", "user_id", "created_at"),
        Index("ix_audit_logs_resource", "resource_type", "resource_id", "created_at"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )


class AuditChain(Base):
    """The hash chain of a month of the audit trail; written by a trigger at commit."""

    __tablename__ = "audit_chain"

    month: Mapped[date] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    audit_id: Mapped[UUID] = mapped_column(unique=True)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
