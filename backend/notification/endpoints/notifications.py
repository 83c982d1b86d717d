"""The routes of the notification service: own notifications, and the door to the live view."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response, WebSocket

from backend.notification import queries
from backend.notification.dependencies import NotificationDep
from backend.notification.live import tickets
from backend.notification.live.connection_manager import ConnectionManager
from backend.notification.live.connection_user import ConnectionUser
from backend.notification.schemas.notifications import (
    AllRead,
    NotificationRead,
    UnreadCount,
    WsTicket,
)
from backend.notification.service import notifications
from backend.shared.errors import (
    NotFound,
    NotSignedIn,
    ServiceUnavailable,
    StaleVersion,
    TokenExpired,
    TokenRevoked,
)
from backend.shared.infra.database import ReadDep, SessionDep
from backend.shared.web import app, authentication, etags, tokens
from backend.shared.web.app import responses
from backend.shared.web.authentication import AnyoneDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.schemas import Answer, PageAnswer, PlainText, answer

router = app.router("/notifications", "notifications")
_REFUSED = (NotSignedIn, TokenExpired, TokenRevoked)


@router.get("", summary="My notifications", responses=responses(*_REFUSED))
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


@router.get("/unread-count", summary="How many are unread", responses=responses(*_REFUSED))
def count_unread(reader: ReadDep, actor: AnyoneDep) -> Answer[UnreadCount]:
    """For the badge of an app. Role: all, own only."""
    unread = reader.execute(queries.count_unread(actor.id)).scalar_one()
    return answer(UnreadCount(unread=unread))


@router.put("/read-all", summary="Mark all as read", responses=responses(*_REFUSED))
def read_all(session: SessionDep, actor: AnyoneDep) -> Answer[AllRead]:
    """Marks every unread notification of the caller. Role: all, own only."""
    return answer(AllRead(marked=notifications.mark_all_read(session, actor.id)))


@router.post(
    "/ws-ticket",
    summary="A ticket for the WebSocket",
    responses=responses(*_REFUSED, ServiceUnavailable),
)
def issue_ticket(request: Request, _: AnyoneDep) -> Answer[WsTicket]:
    """Opens one WebSocket within 30 seconds, in this session. Role: all.

    For browsers, which can't send an Authorization header with a WebSocket: offer the
    subprotocols `luna.v1` and `ticket.<ticket>`.
    """
    holder = ConnectionUser.of(tokens.verify(authentication.bearer(request)))
    ticket = tickets.issue(holder)
    return answer(WsTicket(ticket=ticket, expires_in=int(tickets.LIFE.total_seconds())))


@router.get(
    "/{notification_id}", summary="One notification", responses=responses(*_REFUSED, NotFound)
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
    responses=responses(*_REFUSED, NotFound, StaleVersion),
)
def mark_read(notification: NotificationDep, response: Response) -> Answer[NotificationRead]:
    """Again is 200 and changes nothing. Role: all; another person's answers 404."""
    read = notifications.mark_read(notification)
    response.headers["ETag"] = etags.etag(read.read_at or read.created_at)
    return answer(NotificationRead.model_validate(read))


@router.delete(
    "/{notification_id}",
    summary="Delete one",
    responses=responses(*_REFUSED, NotFound, StaleVersion),
)
def delete_notification(session: SessionDep, notification: NotificationDep) -> Answer[None]:
    """Gone for good. Role: all; another person's answers 404."""
    notifications.delete(session, notification)
    return answer(None)


@router.websocket("/ws")
async def live(websocket: WebSocket) -> None:
    """The live view (events.md §5). Role: all; each topic says who may."""
    hub: ConnectionManager = websocket.app.state.hub
    await hub.serve(websocket)
