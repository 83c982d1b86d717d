"""Accounts: how a row of `users` is created, by the auth service and by the book service."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain import audit
from backend.shared.errors import EmailTaken
from backend.shared.infra import clock, ids
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
    return _published(session, user, actor_id)


def add_member(session: Session, fields: dict[str, Any], *, actor_id: UUID) -> User:
    """Insert a student without a password, for services that may not write `users`.

    EmailTaken when the address has an account.
    """
    made = text(
        "SELECT * FROM create_member(:id, :email, :first_name, :last_name, :phone_number, :now)"
    )
    user = session.execute(
        select(User).from_statement(made), {**fields, "id": ids.uuid7(), "now": clock.now()}
    ).scalar_one_or_none()
    return _published(session, user, actor_id)


def _published(session: Session, user: User | None, actor_id: UUID | None) -> User:
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
