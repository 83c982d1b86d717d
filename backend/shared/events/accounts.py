"""Accounts and their sessions."""

from uuid import UUID

from backend.shared.events.base import RegisteredEvent


class _AccountEvent(RegisteredEvent):
    SOURCE = "auth-service"
    AGGREGATE = "user"
    user_id: UUID


class AccountRegistered(_AccountEvent):
    """An account was created."""

    TYPE = "account.registered"
    email: str
    first_name: str


class SessionEnded(_AccountEvent):
    """A session ended: every service rejects its tokens."""

    TYPE = "account.session.ended"
    session_id: UUID
    reason: str


class LoginLimited(_AccountEvent):
    """An account has had so many failed sign-ins that only known devices may still sign in."""

    TYPE = "account.login.limited"
