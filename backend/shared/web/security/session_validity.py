"""Validity of sign-in sessions: the one rule for HTTP requests and WebSockets."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from backend.shared.errors import AccountInactive, LunaError, SecondFactorMissing, TokenRevoked
from backend.shared.infra import clock, config
from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import Role, TotpFactor, User, UserSession


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session and its account as stored in the database."""

    role: Role
    epoch: int
    is_active: bool
    ended: bool
    has_second_factor: bool = False


STATES = HotRead(
    select(
        UserSession.id,
        User.role,
        User.token_epoch,
        User.is_active,
        UserSession.ended_at,
        UserSession.expires_at,
        TotpFactor.confirmed_at,
    )
    .join(User, User.id == UserSession.user_id)
    .outerjoin(TotpFactor, TotpFactor.user_id == User.id)
    .where(UserSession.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
)


async def read(ids: Collection[UUID]) -> dict[UUID, SessionState]:
    """Return the state of each session that exists, in one statement."""
    rows = await STATES.all(ids=list(ids))
    now = clock.now()
    return {
        row.id: SessionState(
            row.role,
            row.token_epoch,
            row.is_active,
            ended=row.ended_at is not None or row.expires_at <= now,
            has_second_factor=row.confirmed_at is not None,
        )
        for row in rows
    }


def needs_second_factor(role: Role) -> bool:
    """Return whether people of this role may do nothing before they set up a second factor."""
    return role is Role.ADMIN and config.needs_admin_second_factor()


def refusal(state: SessionState | None, *, role: Role, epoch: int) -> LunaError | None:
    """Return why a token issued for `role` and `epoch` is no longer valid; None if it is."""
    if state is None or state.ended:
        return TokenRevoked()
    if not state.is_active:
        return AccountInactive()
    if (state.role, state.epoch) != (role, epoch):
        return TokenRevoked()
    if not state.has_second_factor and needs_second_factor(role):
        return SecondFactorMissing()
    return None
