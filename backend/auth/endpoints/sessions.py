"""Endpoints of sessions: log in, refresh, log out, and the public keys of their tokens."""

from typing import Any

from fastapi import Response

from backend.auth.dependencies import browsers
from backend.auth.dependencies.browsers import BrowserDep
from backend.auth.dependencies.guards import SigningOutDep
from backend.auth.dependencies.requests import DeviceDep, VerifiedCredentialsDep
from backend.auth.schemas.sessions import RefreshBody, SecondFactorBody, SignedInRead, TokensRead
from backend.auth.service import sessions
from backend.shared.errors import (
    AccountInactive,
    CsrfRejected,
    InvalidCredentials,
    NotSignedIn,
    SecondFactorRequired,
    TokenExpired,
    TokenRevoked,
    invalid,
)
from backend.shared.infra import database
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses
from backend.shared.web.security import tokens

router = routing.router("/auth", "sessions")
_KEYS_EXAMPLE = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "4f…", "n": "0v…"}]}


@router.post(
    "/login",
    summary="Log in",
    responses=responses(InvalidCredentials, SecondFactorRequired, AccountInactive, CsrfRejected),
)
def log_in(
    credentials: VerifiedCredentialsDep, device: DeviceDep, browser: BrowserDep, response: Response
) -> Answer[SignedInRead]:
    """Start a session on this device. Role: none needed.

    A wrong password, an unknown address and an attempt too soon after many failures give the same
    error. An account with a second factor gets 401 `SECOND_FACTOR_REQUIRED` with
    `details.challenge`. With `X-LUNA-Client: web` the refresh token is a cookie.
    """
    # Committed in both cases: the challenge is stored.
    with database.transaction() as session:
        signed_in = sessions.log_in(session, credentials, device)
    if isinstance(signed_in, str):
        raise SecondFactorRequired(challenge=signed_in)
    return answer(browsers.hand_over(SignedInRead.model_validate(signed_in), browser, response))


@router.post(
    "/login/second-factor",
    summary="Log in with a second factor",
    responses=responses(InvalidCredentials, AccountInactive, CsrfRejected),
)
def log_in_with_second_factor(
    body: SecondFactorBody, device: DeviceDep, browser: BrowserDep, response: Response
) -> Answer[SignedInRead]:
    """Start the session of a challenge by a code, valid 5 minutes and 5 tries. Role: none needed.

    The code is the authenticator app's, or a recovery code, which works once.
    """
    pair = sessions.log_in_with_code(body.challenge, body.code, device)
    return answer(browsers.hand_over(SignedInRead.model_validate(pair), browser, response))


@router.post(
    "/refresh",
    summary="Refresh a token pair",
    responses=responses(TokenRevoked, AccountInactive, CsrfRejected),
)
def refresh_tokens(
    body: RefreshBody, device: DeviceDep, browser: BrowserDep, response: Response
) -> Answer[TokensRead]:
    """Exchange a refresh token, valid once. Role: none needed.

    The same device gets the same successor again for 10 s, in case the response was lost; any
    other reuse ends the session. With `X-LUNA-Client: web` the token is read from the cookie.
    """
    token = browser.refresh_token if browser is not None else body.refresh_token
    if token is None and browser is None:
        raise invalid("refresh_token", "Field required")
    # Committed even when refused: a reused token ends the session.
    with database.transaction() as session:
        pair = sessions.rotate(session, token or "", device)
    if pair is None:
        raise TokenRevoked
    return answer(browsers.hand_over(TokensRead.model_validate(pair), browser, response))


@router.post(
    "/logout",
    summary="Log out",
    responses=responses(NotSignedIn, TokenExpired, TokenRevoked, AccountInactive, CsrfRejected),
)
def log_out(
    session: SessionDep, actor: SigningOutDep, browser: BrowserDep, response: Response
) -> Answer[None]:
    """End this session: its refresh token and its access tokens. Role: any."""
    sessions.log_out(session, actor)
    browsers.forget(response, browser)
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
    return Response(tokens.public_keys(), headers=headers, media_type="application/json")
