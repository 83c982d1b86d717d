"""Topics of the live view, with the roles that may subscribe.

A topic's channel is its name in `realtime.topics`; `me` is `user:{id}` there, so that no client
can name another user's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.notification.live import snapshots
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import NotFound, RoleNotAllowed

# Reads a topic for a user; None when the resource does not exist or is not theirs.
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
_USER_PREFIX = "user:"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as one user sees it: `name` in messages, `channel` inside."""

    name: str
    channel: str
    read: Read
    resource_id: UUID | None


def topic_of(name: str, user: ConnectionUser) -> Topic:
    """Resolve a name; NotFound for an unknown topic, RoleNotAllowed for one of staff.

    Whether the request, return, robot or import exists and is theirs is checked by its snapshot.
    """
    kind_name, colon, rest = name.partition(":")
    kind = _KINDS.get(kind_name)
    resource_id = _parse_id(rest)
    if kind is None or kind.has_id != bool(colon) or (kind.has_id and resource_id is None):
        raise NotFound("Topic not found.")
    if kind.staff_only and not user.is_staff:
        raise RoleNotAllowed("Your role does not allow this topic.")
    channel = f"{_USER_PREFIX}{user.user_id}" if name == "me" else name
    return Topic(name, channel, kind.read, resource_id)


def name_of(channel: str) -> str:
    """Return the topic name of a channel."""
    return "me" if channel.startswith(_USER_PREFIX) else channel


def _parse_id(text: str) -> UUID | None:
    """Accept only the canonical spelling, so that a topic has one name."""
    try:
        parsed = UUID(text)
    except ValueError:
        return None
    return parsed if str(parsed) == text else None
