"""Load the notification that a path names; another user's is not found."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import select

from backend.shared.errors import NotFound
from backend.shared.models import Notification
from backend.shared.web import etags
from backend.shared.web.database_session import SessionDep
from backend.shared.web.etags import IfMatch
from backend.shared.web.security.authentication import AnyoneDep


def _own_notification(
    notification_id: UUID, session: SessionDep, actor: AnyoneDep, if_match: IfMatch = None
) -> Notification:
    found = session.execute(
        select(Notification)
        .where(Notification.id == notification_id, Notification.user_id == actor.id)
        .with_for_update()
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("Notification not found.")
    etags.check(if_match, found.read_at or found.created_at)
    return found


NotificationDep = Annotated[Notification, Depends(_own_notification, scope="function")]
