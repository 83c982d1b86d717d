"""Notifications. Written by the notification service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
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
