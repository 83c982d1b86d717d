"""Push and mail: plan a delivery, send it, try again later, give up."""

import time
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.notification.service import web_push
from backend.notification.service.preferences import Choice
from backend.shared.events import NotificationQueued
from backend.shared.infra import clock, config, ids, logs
from backend.shared.messaging import mail, outbox
from backend.shared.models import (
    Channel,
    DeliveryStatus,
    Loan,
    NotificationDelivery,
    User,
)

MAX_ATTEMPTS = 8
_FIRST_RETRY = timedelta(seconds=30)
_LAST_RETRY = timedelta(hours=6)
_BATCH = 20
_MAX_SECONDS = 20.0  # of one run, below the time limit of a task
_log = logs.get(__name__)


def plan(
    session: Session, notification: Mapping[str, Any], choice: Choice, *, has_browser: bool
) -> None:
    """Record the deliveries of a notification, at most one a channel, and publish them."""
    for channel in sorted(choice.channels):
        if not _is_reachable(channel, has_browser=has_browser):
            continue
        shown = ("user_id", "event_id", "notification_type", "title", "message", "payload")
        delivery_id = session.execute(
            insert(NotificationDelivery)
            .values(
                **{name: notification[name] for name in shown},
                id=ids.uuid7(),
                channel=channel,
                status=DeliveryStatus.PENDING,
                attempts=0,
                next_attempt_at=choice.not_before,
                created_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(NotificationDelivery.id)
        ).scalar_one_or_none()
        if delivery_id is not None and choice.not_before <= clock.now():
            outbox.publish(session, NotificationQueued(delivery_id=delivery_id))


def _is_reachable(channel: Channel, *, has_browser: bool) -> bool:
    if channel is Channel.EMAIL:
        settings = config.mail()
        return settings.smtp_url is not None or settings.mail_folder is not None
    return has_browser and config.push().push_private_key is not None


def send(session: Session, delivery_id: UUID) -> None:
    """Send one delivery if it is due; another worker's is left alone."""
    delivery = session.execute(
        select(NotificationDelivery)
        .where(
            NotificationDelivery.id == delivery_id,
            NotificationDelivery.status == DeliveryStatus.PENDING,
            NotificationDelivery.next_attempt_at <= clock.now(),
        )
        .with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if delivery is not None:
        _attempt(session, delivery)


def send_due(session: Session) -> None:
    """Send the deliveries whose time has come: held back by quiet hours, or tried before."""
    due = session.execute(
        select(NotificationDelivery)
        .where(
            NotificationDelivery.status == DeliveryStatus.PENDING,
            NotificationDelivery.next_attempt_at <= clock.now(),
        )
        .order_by(NotificationDelivery.next_attempt_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    ).scalars()
    end = time.monotonic() + _MAX_SECONDS
    for delivery in due.all():
        if time.monotonic() < end:
            _attempt(session, delivery)


def _attempt(session: Session, delivery: NotificationDelivery) -> None:
    user = session.get(User, delivery.user_id)
    if user is None or not user.is_active or not _is_still_true(session, delivery):
        delivery.status = DeliveryStatus.SKIPPED
        return
    delivery.attempts += 1
    try:
        sent = _send_by(session, delivery, user)
    except Exception as error:  # noqa: BLE001 (any failure of a foreign server is tried again)
        _try_later(delivery, error)
        return
    delivery.status = DeliveryStatus.SENT if sent else DeliveryStatus.SKIPPED
    delivery.sent_at, delivery.last_error = clock.now(), None


def _send_by(session: Session, delivery: NotificationDelivery, user: User) -> bool:
    if delivery.channel is Channel.PUSH:
        return web_push.send(session, delivery)
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in delivery.message.splitlines())
    link = config.http().public_url
    html = f'{paragraphs}<p><a href="{escape(link)}">{escape(config.brand().library_name)}</a></p>'
    text = f"{delivery.message}\n\n{link}\n"
    mail.send(mail.build(user.email, delivery.title, text, html))
    return True


def _try_later(delivery: NotificationDelivery, error: Exception) -> None:
    delivery.last_error = logs.without_values(f"{type(error).__name__}: {error}")[:500]
    if delivery.attempts >= MAX_ATTEMPTS:
        delivery.status = DeliveryStatus.FAILED
        _log.warning("notification not delivered", delivery_id=str(delivery.id))
        return
    wait = min(_FIRST_RETRY * 2 ** (delivery.attempts - 1), _LAST_RETRY)
    delivery.next_attempt_at = clock.now() + wait


def _is_still_true(session: Session, delivery: NotificationDelivery) -> bool:
    """Check a digest before it leaves: no reminder after the books are back."""
    loan_ids = delivery.payload.get("loan_ids")
    if not loan_ids:
        return True
    open_loans = select(Loan.id).where(
        Loan.id.in_([UUID(each) for each in loan_ids]), Loan.returned_at.is_(None)
    )
    return session.execute(open_loans.limit(1)).scalar_one_or_none() is not None
