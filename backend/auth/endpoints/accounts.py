"""Routes of accounts and sessions: `/api/v1/auth`."""

from typing import Any

from fastapi import Response

from backend.auth import queries
from backend.auth.dependencies import (
    DeviceDep,
    EncryptedIdempotencyDep,
    RegistrationDep,
)
from backend.auth.schemas.accounts import ProfileBody, RegisteredRead, UserRead
from backend.auth.service import accounts
from backend.shared.errors import (
    AccountInactive,
    EmailTaken,
    IdempotencyKeyReused,
    NotSignedIn,
    RoleNotAllowed,
    StaleVersion,
    TokenExpired,
    TokenRevoked,
)
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.etags import IfMatch
from backend.shared.web.routing import responses
from backend.shared.web.security import tokens
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/auth", "auth")


SIGNED_IN = (NotSignedIn, TokenExpired, TokenRevoked, AccountInactive)


@router.post(
    "/register",
    summary="Make a student's account",
    status_code=201,
    response_model=Answer[RegisteredRead],
    responses=responses(RoleNotAllowed, EmailTaken, IdempotencyKeyReused),
)
def register(
    newcomer: RegistrationDep,
    once: EncryptedIdempotencyDep,
    session: SessionDep,
    device: DeviceDep,
) -> Response:
    """Answers the account and its first pair of tokens. Role: none needed."""

    def made() -> RegisteredRead:
        user, tokens = accounts.register(session, *newcomer, device)
        return RegisteredRead(
            user=UserRead.model_validate(user),
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expires_in=tokens.expires_in,
        )

    return once.answer(made, location=lambda _: "/api/v1/auth/me")


@router.get("/me", summary="Read my profile", responses=responses(*SIGNED_IN))
def read_me(reader: ReadDep, actor: AnyoneDep, response: Response) -> Answer[UserRead]:
    """The account of whoever asks, with its ETag. Role: any."""
    row = reader.execute(queries.profile(actor.id)).one()
    response.headers["ETag"] = etags.etag(row.updated_at)
    return answer(UserRead.model_validate(row))


@router.put("/me", summary="Change my profile", responses=responses(*SIGNED_IN, StaleVersion))
def change_me(
    body: ProfileBody,
    session: SessionDep,
    actor: AnyoneDep,
    response: Response,
    if_match: IfMatch = None,
) -> Answer[UserRead]:
    """What is left out stays; `phone_number: null` removes it. Role: any."""
    user = accounts.change_profile(session, actor.id, body.given(), if_match)
    response.headers["ETag"] = etags.etag(user.updated_at)
    return answer(UserRead.model_validate(user))


@router.get(
    "/.well-known/jwks.json",
    summary="The public keys that access tokens are verified with",
    response_model=dict[str, Any],
    responses={
        200: {
            "content": {
                "application/json": {
                    "example": {
                        "keys": [
                            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "4f…", "n": "0v…"}
                        ]
                    }
                }
            }
        }
    },
)
def read_public_keys(response: Response) -> dict[str, Any]:
    """A JSON Web Key Set, outside the envelope. Role: none needed."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return tokens.public_keys()
