"""Accounts and their sessions."""

from uuid import UUID

from backend.shared.events.base import RegisteredEvent
from backend.shared.models import Role


class _AccountEvent(RegisteredEvent):
    SOURCE = "auth-service"
    AGGREGATE = "user"
    user_id: UUID


class AccountRegistered(_AccountEvent):
    """An account was created."""

    TYPE = "account.registered"


class RegistrationRepeated(_AccountEvent):
    """Somebody has registered an address that has an account; its owner gets a mail."""

    TYPE = "account.registration.repeated"


class EmailVerificationRequested(_AccountEvent):
    """A link to verify the address was asked for again."""

    TYPE = "account.email_verification.requested"


class PasswordResetRequested(_AccountEvent):
    """A link to set a new password was asked for; of no account when the address has none."""

    TYPE = "account.password_reset.requested"


class PasswordChanged(_AccountEvent):
    """A password was changed or reset; all earlier sessions have ended."""

    TYPE = "account.password.changed"


class RoleChanged(_AccountEvent):
    """An administrator changed a role: tokens with the earlier one are rejected."""

    TYPE = "account.role.changed"
    role: Role


class AccountDeactivated(_AccountEvent):
    """An account was deactivated or erased; its sessions have ended."""

    TYPE = "account.deactivated"


class SessionEnded(_AccountEvent):
    """A session ended: every service rejects its tokens."""

    TYPE = "account.session.ended"
    session_id: UUID
    reason: str


class LoginLimited(_AccountEvent):
    """An account has had so many failed sign-ins that only known devices may still sign in."""

    TYPE = "account.login.limited"
