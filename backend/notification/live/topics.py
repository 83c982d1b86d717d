"""What can be watched, and who may ask: one table.

A topic's channel is the name under which `realtime.topics` shows an event; `me` is
`user:{id}` there, so that nobody can name another person's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.notification.live import snapshots
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import NotFound, RoleNotAllowed

# How a topic stands for someone; None when there is no such thing, or it is not theirs.
Read = Callable[[Session, ConnectionUser, UUID | None], dict[str, Any] | None]


@dataclass(frozen=True)
class _Kind:
    read: Read
    staff_only: bool = False
    has_id: bool = False


_KINDS = {
    "me": _Kind(snapshots.me),
    "request": _Kind(snapshots.request, has_id=True),
    "return": _Kind(snapshots.book_return, has_id=True),
    "catalog": _Kind(snapshots.catalog),
    "deliveries": _Kind(snapshots.deliveries, staff_only=True),
    "robots": _Kind(snapshots.robots, staff_only=True),
    "robot": _Kind(snapshots.robot, staff_only=True, has_id=True),
    "alerts": _Kind(snapshots.alerts, staff_only=True),
    "imports": _Kind(snapshots.import_job, staff_only=True, has_id=True),
}
_MINE = "user:"


@dataclass(frozen=True, slots=True)
class Topic:
    """Something watched by someone: its name on the wire, its channel inside."""

    name: str
    channel: str
    read: Read
    about: UUID | None


def topic_of(name: str, holder: ConnectionUser) -> Topic:
    """The topic of that name; NotFound when there is none, RoleNotAllowed when it is not theirs.

    Whether a request, return, robot or import exists, and is theirs, shows in its snapshot.
    """
    kind_name, colon, rest = name.partition(":")
    kind = _KINDS.get(kind_name)
    about = _id(rest)
    if kind is None or kind.has_id != bool(colon) or (kind.has_id and about is None):
        raise NotFound("There is no such topic.")
    if kind.staff_only and not holder.is_staff:
        raise RoleNotAllowed("Your role does not allow this topic.")
    channel = f"{_MINE}{holder.user_id}" if name == "me" else name
    return Topic(name, channel, kind.read, about)


def name_of(channel: str) -> str:
    """How a channel is called on the wire."""
    return "me" if channel.startswith(_MINE) else channel


def _id(text: str) -> UUID | None:
    """Only the usual spelling, so that a topic has one name."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
