"""Selects of the authentication service."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Nullable, Select, and_, bindparam, func, select

from backend.auth.schemas.accounts import UserRead
from backend.auth.schemas.administration import ManagedUserRead
from backend.auth.schemas.service_keys import ServiceKeyRead
from backend.shared.events import WatchdogSent
from backend.shared.infra.hot_reads import HotRead
from backend.shared.messaging.subscriptions import WATCHDOG
from backend.shared.models import (
    AuditLog,
    KnownDevice,
    Loan,
    OutboxEvent,
    ProcessedEvent,
    ProcessHeartbeat,
    Role,
    ServiceKey,
    User,
    UserSession,
)
from backend.shared.web.pagination import AnySelect

_MANAGED_COLUMNS = [User.__table__.c[name] for name in ManagedUserRead.model_fields]
USER_ID = User.id
USER_SORTS = {"created_at": User.created_at, "email": User.email, "last_name": User.last_name}
MEMBER_SORTS = {"last_name": User.last_name, "email": User.email}
AUDIT_ID = AuditLog.id
_LAST_USED = func.coalesce(UserSession.rotated_at, UserSession.created_at)
SESSION_ID = UserSession.id
SESSION_SORTS = {"last_used_at": _LAST_USED, "created_at": UserSession.created_at}
AUDIT_SORTS = {"created_at": AuditLog.created_at}
SERVICE_KEY_SORTS = {"name": ServiceKey.name, "created_at": ServiceKey.created_at}
_SERVICE_KEY_COLUMNS = [ServiceKey.__table__.c[name] for name in ServiceKeyRead.model_fields]
_PROFILE_COLUMNS = [User.__table__.c[name] for name in UserRead.model_fields]


def credentials(email: str, device_hash: str, now: datetime) -> Select[UUID, str, UUID | None]:
    """Select id and password hash of an account, and the known device with this token's hash."""
    known = and_(
        KnownDevice.user_id == User.id,
        KnownDevice.token_hash == device_hash,
        KnownDevice.expires_at > now,
    )
    return (
        select(User.id, User.password_hash, Nullable(KnownDevice.id))
        .outerjoin(KnownDevice, known)
        .where(func.lower(User.email) == func.lower(email))
    )


PROFILE = HotRead(select(*_PROFILE_COLUMNS).where(User.id == bindparam("user_id")))


def holder(refresh_hash: str, now: datetime) -> AnySelect:
    """Select the person and the session of a valid refresh token."""
    return (
        select(User.id, User.role, User.email, UserSession.id.label("session_id"))
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.refresh_hash == refresh_hash,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > now,
        )
    )


def open_sessions(user_id: UUID, now: datetime) -> AnySelect:
    """Select the sessions of a person that are not ended."""
    return select(
        UserSession.id,
        UserSession.user_agent,
        UserSession.ip_address,
        UserSession.created_at,
        _LAST_USED.label("last_used_at"),
        UserSession.expires_at,
    ).where(
        UserSession.user_id == user_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > now,
    )


def _matches(text: str | None) -> list[ColumnElement[bool]]:
    """Require each word in the name or the address."""
    found = func.lower(User.first_name + " " + User.last_name + " " + User.email)
    return [found.contains(word, autoescape=True) for word in (text or "").lower().split()]


def users(text: str | None, role: Role | None, *, is_active: bool | None) -> AnySelect:
    """Select the accounts that are not erased, as administrators see them."""
    statement = select(*_MANAGED_COLUMNS).where(User.erased_at.is_(None), *_matches(text))
    if role is not None:
        statement = statement.where(User.role == role)
    if is_active is not None:
        statement = statement.where(User.is_active == is_active)
    return statement


def members(text: str | None) -> AnySelect:
    """Select active accounts with the number of their open loans."""
    open_loans = (
        select(func.count())
        .where(Loan.user_id == User.id, Loan.returned_at.is_(None))
        .scalar_subquery()
    )
    return select(
        User.id,
        User.first_name,
        User.last_name,
        User.email,
        User.role,
        open_loans.label("open_loans"),
    ).where(User.is_active, *_matches(text))


def audit_logs(values: dict[str, Any], since: datetime | None, until: datetime | None) -> AnySelect:
    """Select the audit entries with these values between two times."""
    conditions = [
        AuditLog.__table__.c[name] == value for name, value in values.items() if value is not None
    ]
    if since is not None:
        conditions.append(AuditLog.created_at >= since)
    if until is not None:
        conditions.append(AuditLog.created_at < until)
    return select(AuditLog.__table__).where(*conditions)


def service_keys() -> AnySelect:
    """Select the keys that are not revoked, without secrets."""
    return select(*_SERVICE_KEY_COLUMNS).where(ServiceKey.revoked_at.is_(None))


def last_heartbeats(now: datetime, timeout: timedelta) -> Select[str, datetime, int]:
    """Select each component's last heartbeat and its instances with one within `timeout`."""
    return select(
        ProcessHeartbeat.part,
        func.max(ProcessHeartbeat.at),
        func.count().filter(ProcessHeartbeat.at >= now - timeout),
    ).group_by(ProcessHeartbeat.part)


def watchdogs(since: datetime) -> Select[datetime, datetime | None]:
    """Select when each watchdog event was sent and processed (null: not yet), newest first."""
    processed = and_(ProcessedEvent.event_id == OutboxEvent.id, ProcessedEvent.consumer == WATCHDOG)
    return (
        select(OutboxEvent.created_at, Nullable(ProcessedEvent.processed_at))
        .outerjoin(ProcessedEvent, processed)
        .where(OutboxEvent.created_at >= since, OutboxEvent.event_type == WatchdogSent.TYPE)
        .order_by(OutboxEvent.created_at.desc())
    )
