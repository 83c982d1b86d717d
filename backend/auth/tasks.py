"""Celery tasks of the authentication service: mails about an account."""

from sqlalchemy.orm import Session

from backend.auth.service import account_mails
from backend.shared.events import Event
from backend.shared.messaging import inbox, subscriptions


@inbox.consumer(subscriptions.ACCOUNT_MAIL)
def send_account_mail(session: Session, event: Event, _context: inbox.EventContext) -> None:
    """Send the mail of an event, with a token that only the mail contains."""
    account_mails.send(session, event)
