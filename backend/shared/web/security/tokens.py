"""Access tokens: claims, and the keys that sign and verify them.

Every claim is required. A retired key verifies the tokens that it has signed until they expire.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from typing import Any
from uuid import UUID

from backend.shared.errors import NotSignedIn, TokenExpired
from backend.shared.infra import clock, config, ids
from backend.shared.models import Role
from backend.shared.web.security import jwks, signing
from backend.shared.web.security.key_files import PRIVATE, PUBLIC


@dataclass(frozen=True)
class Claims:
    """The claims of a valid access token."""

    user_id: UUID
    email: str
    role: Role
    session_id: UUID
    epoch: int
    expires_at: datetime


@lru_cache(maxsize=2)
def _signing_key(pem: str) -> tuple[signing.VerifyingKey, str]:
    return signing.load_key(pem), jwks.public_jwk(pem)["kid"]


@dataclass(frozen=True)
class _KeySet:
    """The keys of one version of the JWKS, and when each stops to verify (None: in use)."""

    number: int
    keys: dict[str, tuple[signing.VerifyingKey, datetime | None]]
    listed: list[dict[str, Any]]


_numbers = count(1)


@lru_cache(maxsize=2)
def _key_set(text: str) -> _KeySet:
    listed = json.loads(text or '{"keys": []}')["keys"]
    keys = {
        each["kid"]: (signing.load_key(jwks.public_pem(each)), jwks.valid_until(each))
        for each in listed
    }
    return _KeySet(next(_numbers), keys, listed)


def key_version() -> int:
    """Return a number that changes within a second of a rotation."""
    return _key_set(PUBLIC.text() or "").number


def public_keys() -> bytes:
    """Return the JWKS that all services verify tokens with, as JSON."""
    now = clock.now()
    text = PUBLIC.text(fresh=True) or ""
    valid = [jwks.is_valid(each, now) for each in _key_set(text).listed]
    return _published(text, tuple(valid))


@lru_cache(maxsize=4)
def _published(text: str, valid: tuple[bool, ...]) -> bytes:
    listed = zip(_key_set(text).listed, valid, strict=True)
    return json.dumps(
        {"keys": [jwks.published(key) for key, is_valid in listed if is_valid]}
    ).encode()


def _verifying_key(kid: Any) -> signing.VerifyingKey:
    """Return a key of the set; an unknown one may have been added a moment ago."""
    keys = _key_set(PUBLIC.text() or "").keys
    if kid not in keys:
        keys = _key_set(PUBLIC.text(fresh=True) or "").keys
    if kid not in keys:
        raise NotSignedIn
    key, until = keys[kid]
    if until is not None and until <= clock.now():
        raise NotSignedIn
    return key


def sign(*, user_id: UUID, email: str, role: Role, session_id: UUID, epoch: int) -> str:
    """Return a new access token for a session."""
    key, kid = _signing_key(jwks.signing_pem(PRIVATE.text(fresh=True)))
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
    return signing.sign(claims, key, kid)


def verify(token: str) -> Claims:
    """Return the claims of a valid token; NotSignedIn or TokenExpired for any other."""
    try:
        header = signing.header(token)
        if header.get("alg") != signing.ALGORITHM or "crit" in header:
            raise NotSignedIn
        read = _read(signing.verify(token, _verifying_key(header["kid"])))
    except (
        signing.InvalidSignature,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:
        raise NotSignedIn from error
    if read.expires_at <= clock.now():
        raise TokenExpired
    return read


def _read(claims: dict[str, Any]) -> Claims:
    """Return the claims; NotSignedIn, KeyError, ValueError or TypeError unless all are valid."""
    settings = config.auth()
    is_ours = (claims["iss"], claims["aud"]) == (settings.token_issuer, settings.token_audience)
    has_types = isinstance(claims["jti"], str) and isinstance(claims["email"], str)
    has_times = type(claims["exp"]) is int and type(claims["iat"]) is int
    if not (is_ours and has_types and has_times and type(claims["ver"]) is int):
        raise NotSignedIn
    return Claims(
        user_id=UUID(claims["sub"]),
        email=claims["email"],
        role=Role(claims["role"]),
        session_id=UUID(claims["sid"]),
        epoch=claims["ver"],
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )
