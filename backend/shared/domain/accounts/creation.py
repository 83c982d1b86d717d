"""Accounts: the one way in which a row of `users` is created."""

from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain import audit
from backend.shared.errors import EmailTaken
from backend.shared.infra import clock
from backend.shared.messaging import outbox
from backend.shared.models import User


def add_user(
    session: Session,
    fields: dict[str, Any],
    password_hash: str,
    *,
    actor_id: UUID | None,
    verified: bool = False,
) -> User:
    """Insert the account, audit and publish it; the unique index decides concurrent inserts.

    EmailTaken when the address has an account. Without an `actor_id` the new user is the actor.
    """
    user = session.execute(
        insert(User)
        .values(
            **fields,
            password_hash=password_hash,
            is_active=True,
            token_epoch=0,
            preferred_language="en",
            email_verified_at=clock.now() if verified else None,
        )
        .on_conflict_do_nothing(index_elements=[func.lower(User.email)])
        .returning(User)
    ).scalar_one_or_none()
    if user is None:
        raise EmailTaken
    audit.record(
        session,
        actor_id=actor_id or user.id,
        action="user.created",
        resource=("user", user.id),
        changes={"role": {"before": None, "after": user.role}},
    )
    outbox.publish(session, events.AccountRegistered(user_id=user.id))
    return user
