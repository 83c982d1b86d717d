"""The routes of the notification service: own notifications, and the door to the live view."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.notification import queries
from backend.notification.dependencies import NotificationDep
from backend.notification.schemas.notifications import (
    AllRead,
    NotificationRead,
    UnreadCount,
)
from backend.notification.service import notifications
from backend.shared.errors import (
    NotFound,
    NotSignedIn,
    StaleVersion,
    TokenExpired,
    TokenRevoked,
)
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.routing import responses
from backend.shared.web.schemas import PlainText
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/notifications", "notifications")


REFUSED = (NotSignedIn, TokenExpired, TokenRevoked)


@router.get("", summary="My notifications", responses=responses(*REFUSED))
def list_notifications(
    reader: ReadDep,
    actor: AnyoneDep,
    page: PageDep,
    is_read: Annotated[bool | None, Query(description="Only read or only unread ones")] = None,
    notification_type: Annotated[
        PlainText | None, Query(max_length=64, examples=["DELIVERY_TASK_ARRIVED"])
    ] = None,
) -> PageAnswer[NotificationRead]:
    """The caller's own, newest first; sort: `created_at`. Role: all, own only (staff too)."""
    found = queries.own(actor.id, is_read=is_read, notification_type=notification_type)
    sorted_ = ordered(found, page, queries.SORTS, default="-created_at", tiebreak=queries.TIEBREAK)
    return paginate(reader, sorted_, page, NotificationRead)


@router.get("/unread-count", summary="How many are unread", responses=responses(*REFUSED))
def count_unread(reader: ReadDep, actor: AnyoneDep) -> Answer[UnreadCount]:
    """For the badge of an app. Role: all, own only."""
    unread = reader.execute(queries.count_unread(actor.id)).scalar_one()
    return answer(UnreadCount(unread=unread))


@router.put("/read-all", summary="Mark all as read", responses=responses(*REFUSED))
def read_all(session: SessionDep, actor: AnyoneDep) -> Answer[AllRead]:
    """Marks every unread notification of the caller. Role: all, own only."""
    return answer(AllRead(marked=notifications.mark_all_read(session, actor.id)))


@router.get(
    "/{notification_id}", summary="One notification", responses=responses(*REFUSED, NotFound)
)
def read_notification(
    notification_id: UUID, reader: ReadDep, actor: AnyoneDep, response: Response
) -> Answer[NotificationRead]:
    """With its `ETag`. Role: all; another person's answers 404."""
    found = reader.execute(queries.one(actor.id, notification_id)).one_or_none()
    if found is None:
        raise NotFound("You have no such notification.")
    response.headers["ETag"] = etags.etag(found.read_at or found.created_at)
    return answer(NotificationRead.model_validate(found))


@router.put(
    "/{notification_id}/read",
    summary="Mark one as read",
    responses=responses(*REFUSED, NotFound, StaleVersion),
)
def mark_read(notification: NotificationDep, response: Response) -> Answer[NotificationRead]:
    """Again is 200 and changes nothing. Role: all; another person's answers 404."""
    read = notifications.mark_read(notification)
    response.headers["ETag"] = etags.etag(read.read_at or read.created_at)
    return answer(NotificationRead.model_validate(read))


@router.delete(
    "/{notification_id}",
    summary="Delete one",
    responses=responses(*REFUSED, NotFound, StaleVersion),
)
def delete_notification(session: SessionDep, notification: NotificationDep) -> Answer[None]:
    """Gone for good. Role: all; another person's answers 404."""
    notifications.delete(session, notification)
    return answer(None)
