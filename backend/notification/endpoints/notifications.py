"""Endpoints of `/notifications`: the caller's own."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.notification import queries
from backend.notification.dependencies import NotificationDep
from backend.notification.schemas.notifications import AllRead, NotificationRead, UnreadCount
from backend.notification.service import notifications
from backend.shared.errors import NotFound, StaleVersion
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer, json_response
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.schemas import EmptyBody, PlainText
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/notifications", "notifications")


@router.get("", summary="List notifications")
def list_notifications(
    reader: ReadDep,
    actor: AnyoneDep,
    page: PageDep,
    is_read: Annotated[
        bool | None, Query(description="True: read ones only; false: unread ones only")
    ] = None,
    notification_type: Annotated[
        PlainText | None, Query(max_length=64, examples=["DELIVERY_TASK_ARRIVED"])
    ] = None,
) -> PageAnswer[NotificationRead]:
    """Newest first; sort by `created_at`. Role: all, own only (staff too)."""
    statement = ordered(
        queries.own(actor.id, is_read=is_read, notification_type=notification_type),
        page,
        queries.SORTS,
        default="-created_at",
        tiebreak=queries.TIEBREAK,
    )
    return paginate(reader, statement, page, NotificationRead)


@router.get(
    "/unread-count",
    summary="Count unread notifications",
    response_model=Answer[UnreadCount],
)
async def count_unread_notifications(actor: AnyoneDep) -> Response:
    """For an app's badge. Role: all, own only."""
    return json_response(b'{"unread":%d}' % await queries.UNREAD.scalar(user_id=actor.id))


@router.put(
    "/read-all",
    summary="Mark all notifications as read",
)
def mark_all_notifications_read(
    session: SessionDep, actor: AnyoneDep, _body: EmptyBody | None = None
) -> Answer[AllRead]:
    """Answers how many were unread. Role: all, own only."""
    return answer(AllRead(marked=notifications.mark_all_read(session, actor.id)))


@router.get(
    "/{notification_id}",
    summary="Get a notification",
    responses=routing.responses(NotFound),
)
def get_notification(
    notification_id: UUID, reader: ReadDep, actor: AnyoneDep, response: Response
) -> Answer[NotificationRead]:
    """With its `ETag`. Role: own; another user's answers 404."""
    found = reader.execute(queries.one(actor.id, notification_id)).one_or_none()
    if found is None:
        raise NotFound("Notification not found.")
    response.headers["ETag"] = etags.etag(found.read_at or found.created_at)
    return answer(NotificationRead.model_validate(found))


@router.put(
    "/{notification_id}/read",
    summary="Mark a notification as read",
    responses=routing.responses(NotFound, StaleVersion),
)
def mark_notification_read(
    notification: NotificationDep, response: Response, _body: EmptyBody | None = None
) -> Answer[NotificationRead]:
    """A repeated call is 200 and changes nothing. Role: own; another user's answers 404."""
    read = notifications.mark_read(notification)
    response.headers["ETag"] = etags.etag(read.read_at or read.created_at)
    return answer(NotificationRead.model_validate(read))


@router.delete(
    "/{notification_id}",
    summary="Delete a notification",
    responses=routing.responses(NotFound, StaleVersion),
)
def delete_notification(session: SessionDep, notification: NotificationDep) -> Answer[None]:
    """Permanently. Role: own; another user's answers 404."""
    notifications.delete(session, notification)
    return answer(None)
