"""Endpoints: log in, refresh, log out."""

from backend.auth.dependencies import (
    ArrivedDep,
    DeviceDep,
    VerifiedCredentialsDep,
)
from backend.auth.endpoints.accounts import SIGNED_IN
from backend.auth.schemas.sessions import RefreshBody, TokensRead
from backend.auth.service import accounts, sessions
from backend.shared.errors import (
    AccountInactive,
    InvalidCredentials,
    TokenRevoked,
)
from backend.shared.infra import database
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/auth", "auth")


@router.post(
    "/login",
    summary="Sign in",
    responses=responses(InvalidCredentials, AccountInactive),
)
def log_in(
    proven: VerifiedCredentialsDep, session: SessionDep, device: DeviceDep
) -> Answer[TokensRead]:
    """Opens a session on this device. Role: none needed.

    The answer to a wrong password, to an unknown address and to a try too soon after many failed
    ones is the same.
    """
    return answer(TokensRead.model_validate(accounts.log_in(session, proven, device)))


@router.post(
    "/refresh",
    summary="Exchange a refresh token for a new pair",
    responses=responses(TokenRevoked, AccountInactive),
)
def refresh(body: RefreshBody, arrived_at: ArrivedDep) -> Answer[TokensRead]:
    """Each refresh token is good for one use; a used one ends its session. Role: none needed."""
    with (
        database.transaction() as session
    ):  # committed even when refused: a thief's try ends the session
        tokens = sessions.rotate(session, body.refresh_token, arrived_at)
    if tokens is None:
        raise TokenRevoked
    return answer(TokensRead.model_validate(tokens))


@router.post("/logout", summary="Sign out of this session", responses=responses(*SIGNED_IN))
def log_out(session: SessionDep, actor: AnyoneDep) -> Answer[None]:
    """Ends this session: its refresh token and its access tokens. Role: any."""
    accounts.log_out(session, actor)
    return answer(None)
