"""Access tokens; only this module imports the JWT library.

Access tokens are signed with RS256 only and every claim is required. `kid` selects a key of our
own set; `jku` and `jwk` are ignored, and a token with `crit` is refused.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from jose import jwk as jose_jwk
from jose import jwt
from jose.backends.base import Key
from jose.exceptions import JOSEError

from backend.shared.errors import NotSignedIn, TokenExpired
from backend.shared.infra import clock, config, ids
from backend.shared.models import Role
from backend.shared.web.security import jwks

_ALGORITHM = "RS256"


_CLAIMS = ("sub", "email", "role", "sid", "ver", "iat", "jti", "iss", "aud")
# The expiry is checked here, against the clock of all processes; requiring it of the library would
# also make the library check it.
_OPTIONS = {"verify_exp": False, **{f"require_{name}": True for name in _CLAIMS}}


@dataclass(frozen=True)
class Claims:
    """The claims of a valid access token."""

    user_id: UUID
    email: str
    role: Role
    session_id: UUID
    epoch: int
    expires_at: datetime


@cache
def _signing_key() -> tuple[Key, str]:
    """Load the key once: checking an RSA key on loading takes forty times as long as signing."""
    pem = jwks.private_pem()
    return jose_jwk.construct(pem, _ALGORITHM), jwks.public_jwk(pem)["kid"]


@cache
def public_keys() -> dict[str, Any]:
    """Return the JWKS that all services verify tokens with."""
    found: dict[str, Any] = json.loads(config.auth().auth_public_keys or '{"keys": []}')
    return found


@cache
def public_keys_json() -> bytes:
    """Return the JWKS as JSON."""
    return json.dumps(public_keys()).encode()


@cache
def _verifying_keys() -> dict[str, Key]:
    return {
        key["kid"]: jose_jwk.construct(jwks.public_pem(key), _ALGORITHM)
        for key in public_keys()["keys"]
    }


def sign(*, user_id: UUID, email: str, role: Role, session_id: UUID, epoch: int) -> str:
    """Return a new access token for a session."""
    key, kid = _signing_key()
    settings = config.auth()
    issued = clock.now()
    claims = {
        "sub": str(user_id),
        "email": email,
        "role": role.value,
        "sid": str(session_id),
        "ver": epoch,
        "iat": int(issued.timestamp()),
        "exp": int((issued + settings.access_token_life).timestamp()),
        "jti": ids.uuid7().hex,
        "iss": settings.token_issuer,
        "aud": settings.token_audience,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": kid})


def verify(token: str) -> Claims:
    """Return the claims of a valid token; NotSignedIn or TokenExpired for any other."""
    settings = config.auth()
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != _ALGORITHM or "crit" in header:
            raise NotSignedIn
        claims = jwt.decode(
            token,
            _verifying_keys()[header["kid"]],
            algorithms=[_ALGORITHM],
            audience=settings.token_audience,
            issuer=settings.token_issuer,
            options=_OPTIONS,
        )
        if not isinstance(claims["exp"], int):
            raise NotSignedIn
        read = Claims(
            user_id=UUID(claims["sub"]),
            email=claims["email"],
            role=Role(claims["role"]),
            session_id=UUID(claims["sid"]),
            epoch=int(claims["ver"]),
            expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
        )
    except (JOSEError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise NotSignedIn from error
    if read.expires_at <= clock.now():
        raise TokenExpired
    return read
