"""Endpoints of `/notifications/preferences` and `/notifications/push-subscriptions`."""

from uuid import UUID

from fastapi import Response

from backend.notification.schemas.preferences import (
    PreferencesBody,
    PreferencesRead,
    PushSubscriptionCreate,
    PushSubscriptionRead,
)
from backend.notification.service import preferences, web_push
from backend.shared.errors import IdempotencyKeyReused, NotFound, StaleVersion
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/notifications", "notifications")


@router.get("/preferences", summary="Get notification preferences")
def get_notification_preferences(
    actor: AnyoneDep, reader: ReadDep, response: Response
) -> Answer[PreferencesRead]:
    """Return the channels of every type, quiet hours and language. Role: all, own only."""
    found = preferences.read(reader, actor.id)
    return etags.tagged(response, found, found)


@router.put(
    "/preferences",
    summary="Change notification preferences",
    responses=responses(StaleVersion),
)
def change_notification_preferences(
    actor: AnyoneDep,
    body: PreferencesBody,
    session: SessionDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[PreferencesRead]:
    """Change what is sent; the rest stays. Role: all, own only.

    A robot at the door is always shown in the app and not held back by quiet hours.
    """
    etags.check(if_match, preferences.read(session, actor.id))
    found = preferences.replace(session, actor.id, body)
    return etags.tagged(response, found, found)


@router.post(
    "/push-subscriptions",
    summary="Create a push subscription",
    status_code=201,
    response_model=Answer[PushSubscriptionRead],
    responses=responses(IdempotencyKeyReused),
)
def create_push_subscription(
    actor: AnyoneDep,
    body: PushSubscriptionCreate,
    session: SessionDep,
    idempotency: IdempotencyDep,
) -> Response:
    """Register a browser for Web Push. Role: all, own only."""
    return idempotency.answer(
        lambda: PushSubscriptionRead.model_validate(web_push.subscribe(session, actor.id, body))
    )


@router.delete(
    "/push-subscriptions/{subscription_id}",
    summary="Delete a push subscription",
    responses=responses(NotFound),
)
def delete_push_subscription(
    actor: AnyoneDep, subscription_id: UUID, session: SessionDep
) -> Answer[None]:
    """Remove a browser. Role: all, own only."""
    web_push.unsubscribe(session, actor.id, subscription_id)
    return answer(None)
