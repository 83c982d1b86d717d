"""Users and their sessions. Written by the auth service."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, UpdatedAt, text_enum


class Role(StrEnum):
    STUDENT = "STUDENT"
    LIBRARIAN = "LIBRARIAN"
    ADMIN = "ADMIN"
    ROBOT = "ROBOT"  # a bridge, by its key; never a row of `users`


class User(Base):
    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[str]
    password_hash: Mapped[str] = mapped_column(deferred=True)  # read by the auth service only
    has_password: Mapped[bool] = mapped_column(Computed("password_hash <> '!'", persisted=True))
    first_name: Mapped[str]
    last_name: Mapped[str]
    role: Mapped[Role] = mapped_column(text_enum(Role))
    phone_number: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    # Incremented by a role or password change: tokens with an older epoch are rejected.
    token_epoch: Mapped[int] = mapped_column(default=0)
    # Changed by nobody: the services that lock a row may update this column and no other.
    lock_version: Mapped[int] = mapped_column(server_default="0")
    preferred_language: Mapped[str] = mapped_column(default="en")
    email_verified_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]  # anonymized: the row stays for what refers to it
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        CheckConstraint("role <> 'ROBOT'", name="people_only"),
        Index("uq_users_email", text("lower(email)"), unique=True),
        Index("ix_users_created_at", "created_at"),
    )

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class UserSession(Base):
    """A signed-in device: one family of refresh tokens."""

    __tablename__ = "sessions"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    # SHA-256 of the valid refresh token, and of the one it was exchanged for: that one is answered
    # again for a few seconds, because the first response may have been lost.
    refresh_hash: Mapped[str] = mapped_column(unique=True)
    previous_hash: Mapped[str | None] = mapped_column(unique=True)
    rotated_at: Mapped[datetime | None]
    device_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("known_devices.id", ondelete="SET NULL")
    )
    user_agent: Mapped[str | None]
    ip_address: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]

    __table_args__ = (
        Index("ix_sessions_user_id", "user_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_sessions_device_id", "device_id"),
        Index("ix_sessions_expires_at", "expires_at"),
    )
