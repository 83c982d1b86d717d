"""What each person has chosen: channels per type, quiet hours, language."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.notification.schemas.preferences import (
    ChannelChoice,
    PreferencesBody,
    PreferencesRead,
    QuietHours,
)
from backend.notification.service import recipients, templates
from backend.shared.domain.circulation import opening_days
from backend.shared.errors import invalid
from backend.shared.infra import clock, config
from backend.shared.models import Channel, NotificationPreferences, User

# A robot at the door: always told in the app, and not held back by quiet hours.
URGENT = frozenset({"DELIVERY_TASK_ARRIVED", "DELIVERY_TASK_REMINDER", "DELIVERY_TASK_LOADING"})
_BY_EMAIL = frozenset(
    {
        "CIRCULATION_MEMBER_REMINDED",
        "CIRCULATION_HOLD_READY",
        "CIRCULATION_HOLD_EXPIRED",
    }
)
_COLUMNS = NotificationPreferences.__table__.c
_CHOSEN = select(
    _COLUMNS.channels, _COLUMNS.quiet_from, _COLUMNS.quiet_until, _COLUMNS.language
).where(_COLUMNS.user_id == bindparam("user_id"))


@dataclass(frozen=True)
class Choice:
    """The channels of one notification of a person, and until when push and mail wait."""

    in_app: bool
    channels: frozenset[Channel]
    not_before: datetime


def types() -> list[str]:
    """List the types of notifications."""
    return sorted(kind.TYPE.replace(".", "_").upper() for kind in recipients.RULES)


def read(reader: Connection | Session, user_id: UUID) -> PreferencesRead:
    """Return a person's choices, with the defaults for the rest."""
    row = reader.execute(_CHOSEN, {"user_id": user_id}).one_or_none()
    preferred = reader.execute(
        select(User.preferred_language).where(User.id == user_id)
    ).scalar_one()
    chosen: dict[str, Any] = row.channels if row is not None else {}
    quiet = None
    if row is not None and row.quiet_from is not None:
        quiet = QuietHours(start=row.quiet_from, end=row.quiet_until)
    return PreferencesRead(
        language=(row.language if row is not None else None) or preferred,
        quiet_hours=quiet,
        channels=[_with_default(kind, chosen.get(kind, {})) for kind in types()],
        push_public_key=config.push().push_public_key,
    )


def _with_default(kind: str, chosen: dict[str, bool]) -> ChannelChoice:
    urgent = kind in URGENT
    return ChannelChoice(
        notification_type=kind,
        in_app=urgent or chosen.get("in_app", True),
        push=chosen.get("push", True),
        email=chosen.get("email", kind in _BY_EMAIL),
        urgent=urgent,
    )


def replace(session: Session, user_id: UUID, body: PreferencesBody) -> PreferencesRead:
    """Store what the body holds and keep the rest."""
    present = read(session, user_id)
    unknown = {each.notification_type for each in body.channels} - set(types())
    if unknown:
        raise invalid("channels", f"unknown types: {', '.join(sorted(unknown))}")
    if body.language is not None and body.language not in templates.LANGUAGES:
        raise invalid("language", f"must be one of: {', '.join(templates.LANGUAGES)}")
    channels = {
        each.notification_type: {"in_app": each.in_app, "push": each.push, "email": each.email}
        for each in [*present.channels, *body.channels]
    }
    keeps_quiet = "quiet_hours" not in body.model_fields_set
    quiet = present.quiet_hours if keeps_quiet else body.quiet_hours
    values = {
        "channels": channels,
        "quiet_from": quiet.start if quiet is not None else None,
        "quiet_until": quiet.end if quiet is not None else None,
        "language": body.language or present.language,
    }
    statement = insert(NotificationPreferences).values(user_id=user_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))
    return read(session, user_id)


def choose(recipient: Row[*tuple[Any, ...]], kind: str) -> Choice:
    """Decide how a notification reaches a recipient (`queries.STUDENTS`) now."""
    choice = _with_default(kind, (recipient.channels or {}).get(kind, {}))
    wanted = {Channel.PUSH: choice.push, Channel.EMAIL: choice.email}
    now = clock.now()
    quiet = None
    if recipient.quiet_from is not None:
        quiet = QuietHours(start=recipient.quiet_from, end=recipient.quiet_until)
    return Choice(
        in_app=choice.in_app,
        channels=frozenset(channel for channel, is_wanted in wanted.items() if is_wanted),
        not_before=now if quiet is None or choice.urgent else _end_of_quiet(quiet, now),
    )


def _end_of_quiet(quiet: QuietHours, now: datetime) -> datetime:
    """Return the end of the quiet hours if it is quiet now, else now."""
    local = now.astimezone(opening_days.time_zone())
    end = datetime.combine(local.date(), quiet.end, tzinfo=local.tzinfo)
    if quiet.start <= quiet.end:
        is_quiet = quiet.start <= _clock_time(local) < quiet.end
    else:  # over midnight
        is_quiet = not quiet.end <= _clock_time(local) < quiet.start
        if is_quiet and _clock_time(local) >= quiet.start:
            end += timedelta(days=1)
    return end.astimezone(UTC) if is_quiet else now


def _clock_time(moment: datetime) -> time:
    return moment.time().replace(tzinfo=None)
