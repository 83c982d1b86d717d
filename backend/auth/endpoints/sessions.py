"""Endpoints of sessions: log in, refresh, log out, and the public keys of their tokens."""

from typing import Any

from fastapi import Response

from backend.auth.dependencies import DeviceDep, ReceivedAtDep, VerifiedCredentialsDep
from backend.auth.schemas.sessions import RefreshBody, TokensRead
from backend.auth.service import sessions
from backend.shared.errors import (
    AccountInactive,
    InvalidCredentials,
    NotSignedIn,
    TokenExpired,
    TokenRevoked,
)
from backend.shared.infra import database
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses
from backend.shared.web.security import tokens
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/auth", "sessions")
_KEYS_EXAMPLE = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "4f…", "n": "0v…"}]}


@router.post("/login", summary="Log in", responses=responses(InvalidCredentials, AccountInactive))
def log_in(
    credentials: VerifiedCredentialsDep, session: SessionDep, device: DeviceDep
) -> Answer[TokensRead]:
    """Start a session on this device. Role: none needed.

    A wrong password, an unknown address and an attempt too soon after many failures give the same
    error.
    """
    return answer(TokensRead.model_validate(sessions.log_in(session, credentials, device)))


@router.post(
    "/refresh", summary="Refresh a token pair", responses=responses(TokenRevoked, AccountInactive)
)
def refresh_tokens(body: RefreshBody, received_at: ReceivedAtDep) -> Answer[TokensRead]:
    """Exchange a refresh token, valid once; reuse ends its session. Role: none needed."""
    # Committed even when refused: a reused token ends the session.
    with database.transaction() as session:
        pair = sessions.rotate(session, body.refresh_token, received_at)
    if pair is None:
        raise TokenRevoked
    return answer(TokensRead.model_validate(pair))


@router.post(
    "/logout",
    summary="Log out",
    responses=responses(NotSignedIn, TokenExpired, TokenRevoked, AccountInactive),
)
def log_out(session: SessionDep, actor: AnyoneDep) -> Answer[None]:
    """End this session: its refresh token and its access tokens. Role: any."""
    sessions.log_out(session, actor)
    return answer(None)


@router.get(
    "/.well-known/jwks.json",
    summary="Get the public keys",
    response_model=dict[str, Any],
    responses={200: {"content": {"application/json": {"example": _KEYS_EXAMPLE}}}},
)
async def get_public_keys() -> Response:
    """Return the JSON Web Key Set that verifies access tokens. Role: none needed.

    Outside the envelope.
    """
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(tokens.public_keys_json(), headers=headers, media_type="application/json")
