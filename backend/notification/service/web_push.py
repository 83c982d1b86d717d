"""Web Push (RFC 8030, 8291, 8292): subscriptions of browsers and messages to them.

pywebpush is imported when a message is sent: it brings two HTTP clients with it.
"""

import json
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.notification.schemas.preferences import PushSubscriptionCreate
from backend.shared.errors import NotFound, invalid
from backend.shared.infra import clock, config, ids
from backend.shared.models import NotificationDelivery, PushSubscription

_TTL = timedelta(days=1)  # that a push service keeps a message for a browser that is away
_TIMEOUT = 10.0  # seconds
_GONE = frozenset({404, 410})


def subscribe(session: Session, user_id: UUID, body: PushSubscriptionCreate) -> PushSubscription:
    """Store a browser's subscription; one that another account used moves to this one.

    Invalid for an endpoint that is not a known push service: the server would call any address.
    """
    host = urlsplit(body.endpoint).hostname or ""
    known = config.push().push_hosts.split()
    is_known = any(host == each or host.endswith(f".{each}") for each in known)
    if not body.endpoint.startswith("https://") or not is_known:
        raise invalid("endpoint", "is not the address of a known push service")
    values = {"user_id": user_id, "p256dh": body.keys.p256dh, "auth": body.keys.auth}
    subscription_id = session.execute(
        insert(PushSubscription)
        .values(id=ids.uuid7(), endpoint=body.endpoint, created_at=clock.now(), **values)
        .on_conflict_do_update(index_elements=["endpoint"], set_=values)
        .returning(PushSubscription.id)
    ).scalar_one()
    return session.get_one(PushSubscription, subscription_id, populate_existing=True)


def unsubscribe(session: Session, user_id: UUID, subscription_id: UUID) -> None:
    """Delete an own subscription; NotFound for any other."""
    deleted = session.execute(
        delete(PushSubscription)
        .where(PushSubscription.id == subscription_id, PushSubscription.user_id == user_id)
        .returning(PushSubscription.id)
    ).scalar_one_or_none()
    if deleted is None:
        raise NotFound("Push subscription not found.")


def send(session: Session, delivery: NotificationDelivery) -> bool:
    """Send a message to all browsers of a person; delete subscriptions that are gone.

    Return whether one of them took it. WebPushException when none did and one may later.
    """
    from pywebpush import WebPushException  # type: ignore[import-untyped]  # it has no types

    subscriptions = session.execute(
        select(PushSubscription).where(PushSubscription.user_id == delivery.user_id)
    ).scalars()
    sent, failure = False, None
    for subscription in subscriptions.all():
        try:
            _post(subscription, delivery)
            sent = True
        except WebPushException as error:
            if error.response is not None and error.response.status_code in _GONE:
                session.delete(subscription)
            else:
                failure = error
    if failure is not None and not sent:
        raise failure
    return sent


def _post(subscription: PushSubscription, delivery: NotificationDelivery) -> None:
    from pywebpush import webpush

    message = {
        "title": delivery.title,
        "message": delivery.message,
        "type": delivery.notification_type,
        "payload": delivery.payload,
    }
    settings = config.push()
    webpush(
        subscription_info={
            "endpoint": subscription.endpoint,
            "keys": {"p256dh": subscription.p256dh, "auth": subscription.auth},
        },
        data=json.dumps(message, ensure_ascii=False),
        vapid_private_key=settings.push_private_key,
        vapid_claims={"sub": f"mailto:{settings.push_contact}"},
        ttl=int(_TTL.total_seconds()),
        timeout=_TIMEOUT,
    )
