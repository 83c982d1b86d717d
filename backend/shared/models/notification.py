"""Notifications. Written by the notification service."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, text_enum
from backend.shared.models.users import Role


class Notification(Base):
    __tablename__ = "notifications"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    event_id: Mapped[UUID]  # an event notifies a person once
    notification_type: Mapped[str]
    title: Mapped[str]
    message: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    is_read: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("event_id", "user_id"),
        Index("ix_notifications_user_id_is_read_created_at", "user_id", "is_read", "created_at"),
        Index("ix_notifications_user_id_created_at", "user_id", "created_at"),
        Index("ix_notifications_created_at", "created_at"),
    )


class WsTicket(Base):
    """A ticket that opens one WebSocket in the session it was issued in.

    `epoch` and `role` are those of the access token; `token_expires_at` ends the socket.
    """

    __tablename__ = "ws_tickets"

    ticket_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(text_enum(Role))
    epoch: Mapped[int]
    token_expires_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_ws_tickets_expires_at", "expires_at"),
        Index("ix_ws_tickets_session_id", "session_id"),
        Index("ix_ws_tickets_user_id", "user_id"),
    )


class Channel(StrEnum):
    """How a notification reaches a person besides the app."""

    PUSH = "PUSH"
    EMAIL = "EMAIL"


class DeliveryStatus(StrEnum):
    PENDING = "PENDING"
    SENT = "SENT"
    FAILED = "FAILED"  # given up after MAX_ATTEMPTS
    SKIPPED = "SKIPPED"  # no longer true, or nobody to send it to


class NotificationPreferences(Base):
    """What a person has chosen; the defaults apply to the rest."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    channels: Mapped[dict[str, Any]] = mapped_column(default=dict)  # type → channel → bool
    quiet_from: Mapped[time | None]  # in the library's time zone
    quiet_until: Mapped[time | None]
    language: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("num_nonnulls(quiet_from, quiet_until) <> 1", name="quiet_hours"),
    )


class PushSubscription(Base):
    """A browser that receives Web Push; deleted when its push service says that it is gone."""

    __tablename__ = "push_subscriptions"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    endpoint: Mapped[str] = mapped_column(unique=True)
    p256dh: Mapped[str]
    auth: Mapped[str]
    created_at: Mapped[CreatedAt]

    __table_args__ = (Index("ix_push_subscriptions_user_id", "user_id"),)


class NotificationDelivery(Base):
    """One notification on one channel: when it was sent, or when it is tried again."""

    __tablename__ = "notification_deliveries"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    event_id: Mapped[UUID]
    notification_type: Mapped[str]
    channel: Mapped[Channel] = mapped_column(text_enum(Channel))
    title: Mapped[str]
    message: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[DeliveryStatus] = mapped_column(
        text_enum(DeliveryStatus), default=DeliveryStatus.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    last_error: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("event_id", "user_id", "channel"),
        Index(
            "ix_notification_deliveries_next_attempt_at",
            "next_attempt_at",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index("ix_notification_deliveries_user_id", "user_id", "created_at"),
        Index("ix_notification_deliveries_created_at", "created_at"),
    )
