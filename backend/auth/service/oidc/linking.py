"""Accounts of people who sign in at the campus: found, or created, by their verified address."""

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.auth.service import sessions
from backend.auth.service.devices import Device
from backend.auth.service.second_factor import challenges, factors
from backend.auth.service.sessions import TokenPair
from backend.shared.domain import audit
from backend.shared.domain.accounts.creation import add_user
from backend.shared.errors import AccountInactive
from backend.shared.infra import clock
from backend.shared.models import User
from backend.shared.web.schemas.accounts import NewUser
from backend.shared.web.security.passwords import NO_PASSWORD

if TYPE_CHECKING:
    from backend.auth.service.oidc.provider import Identity

_LINKED = "LINKED_TO_CAMPUS"


def sign_in(session: Session, identity: "Identity", device: Device) -> TokenPair | str:
    """Start a session, or return a challenge when the account has a second factor."""
    query = select(User).where(func.lower(User.email) == identity.email).with_for_update()
    user = session.execute(query).scalar_one_or_none()
    if user is None:
        new_user = NewUser(
            email=identity.email, first_name=identity.first_name, last_name=identity.last_name
        )
        user = add_user(session, new_user.model_dump(), NO_PASSWORD, actor_id=None, verified=True)
    if not user.is_active:
        raise AccountInactive
    if user.email_verified_at is None:
        _take_over(session, user)
    if factors.is_enabled(session, user.id):
        return challenges.create(session, user.id, user.password_hash)
    user.last_login_at = clock.now()
    session.flush()
    return sessions.start(session, user, device)


def _take_over(session: Session, user: User) -> None:
    """Give an account that anybody may have registered to the owner of its address.

    Nothing by which a stranger could sign in stays, nor what would keep the owner out.
    """
    factors.discard(session, user.id)
    user.email_verified_at = clock.now()
    user.password_hash = NO_PASSWORD
    user.token_epoch += 1
    session.flush()
    sessions.end_all(session, user.id, _LINKED, actor_id=user.id)
    audit.record(
        session, actor_id=user.id, action="user.linked_to_campus", resource=("user", user.id)
    )
