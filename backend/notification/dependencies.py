"""Load the notification that a path names; another user's is not found."""

from typing import Annotated

from fastapi import Depends

from backend.shared.domain.access import Access
from backend.shared.models import Notification
from backend.shared.web import etags
from backend.shared.web.etags import IfMatch
from backend.shared.web.security.access import owned

_OwnDep = Annotated[
    Notification,
    Depends(owned(Notification, "notification_id", "Notification", Access.OWN, lock=True)),
]


def _own_notification(found: _OwnDep, if_match: IfMatch = None) -> Notification:
    etags.check(if_match, found.read_at or found.created_at)
    return found


NotificationDep = Annotated[Notification, Depends(_own_notification, scope="function")]
