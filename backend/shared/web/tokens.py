"""Tokens, passwords and robot keys. The one place that touches their libraries.

Access tokens are RS256 alone, by PEM keys, with every claim required; the `kid` chooses a key of
our own set; `jku`, `jwk` and the like are never read, an unknown `crit` is refused.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jose import jwk as jose_jwk
from jose import jwt
from jose.backends.base import Key
from jose.exceptions import JOSEError
from passlib.context import CryptContext

from backend.shared.errors import NotSignedIn, TokenExpired
from backend.shared.infra import clock, config, ids
from backend.shared.models import Role
from backend.shared.web import jwks

_ALGORITHM = "RS256"
_CLAIMS = ("sub", "email", "role", "sid", "ver", "iat", "exp", "jti", "iss", "aud")
_ROBOT_PREFIX = "luna_rb_"
# OWASP's minimum for argon2id; a rise here rehashes at the next sign-in.
_passwords = CryptContext(
    schemes=["argon2"], argon2__memory_cost=19 * 1024, argon2__time_cost=2, argon2__parallelism=1
)


@dataclass(frozen=True)
class Claims:
    """What a valid access token says."""

    user_id: UUID
    email: str
    role: Role
    session_id: UUID
    epoch: int
    expires_at: datetime


def _private_pem() -> str:
    pem = config.auth().auth_private_key
    if pem is None:
        raise RuntimeError("only the auth service signs tokens: it has LUNA_AUTH_PRIVATE_KEY")
    return pem.strip()


@cache
def _signing_key() -> tuple[Key, str]:
    """Read once: checking an RSA key as it is loaded takes forty times as long as signing."""
    pem = _private_pem()
    return jose_jwk.construct(pem, _ALGORITHM), jwks.public_jwk(pem)["kid"]


@cache
def public_keys() -> dict[str, Any]:
    """The JWKS that the others verify with."""
    found: dict[str, Any] = json.loads(config.auth().auth_public_keys or '{"keys": []}')
    return found


@cache
def _verifying_keys() -> dict[str, Key]:
    return {
        key["kid"]: jose_jwk.construct(jwks.public_pem(key), _ALGORITHM)
        for key in public_keys()["keys"]
    }


def sign(*, user_id: UUID, email: str, role: Role, session_id: UUID, epoch: int) -> str:
    """A new access token for one session."""
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
    """The claims of a token that is ours, unaltered and not expired; else NotSignedIn."""
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
            options={"verify_exp": False, **{f"require_{name}": True for name in _CLAIMS}},
        )
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


def hash_password(password: str) -> str:
    return _passwords.hash(password)


@cache
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe(16))


def verify_password(password: str, password_hash: str | None) -> tuple[bool, str | None]:
    """Whether it matches, and a new hash to store when parameters have risen.

    Without a hash (no such account) the same work is done, so that the time tells nothing.
    """
    matches, renewed = _passwords.verify_and_update(password, password_hash or _nobodys_hash())
    return matches and password_hash is not None, renewed


def new_secret() -> str:
    """256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 of a random secret: what is stored of refresh tokens, keys and codes."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_robot_key() -> tuple[str, str, str]:
    """A robot key (shown once), its clear prefix and its hash."""
    prefix = secrets.token_hex(6)
    key = f"{_ROBOT_PREFIX}{prefix}_{new_secret()}"
    return key, prefix, digest(key)


def robot_key_prefix(key: str) -> str | None:
    """The look-up prefix of something that has the form of a robot key."""
    if not key.startswith(_ROBOT_PREFIX):
        return None
    prefix, _, secret = key.removeprefix(_ROBOT_PREFIX).partition("_")
    return prefix if prefix and secret else None


def same_digest(secret: str, stored: str) -> bool:
    return hmac.compare_digest(digest(secret), stored)


def _derived_key(purpose: str) -> bytes:
    """A key of the auth service alone, made from its private key."""
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"luna {purpose}".encode())
    return kdf.derive(_private_pem().encode())


@cache
def _seal() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived_key("seal")))


@cache
def _fingerprint_key() -> bytes:
    return _derived_key("fingerprint")


def seal(plain: bytes) -> bytes:
    """Encrypted and authenticated, so that only the auth service can read or make it."""
    return _seal().encrypt(plain)


def unseal(sealed: bytes) -> bytes:
    """What was sealed; NotSignedIn for anything that this service did not seal."""
    try:
        return _seal().decrypt(sealed)
    except InvalidToken as error:
        raise NotSignedIn from error


def fingerprint(data: bytes) -> str:
    """A keyed digest: tells equal data apart without letting anyone guess them from the digest."""
    return hmac.new(_fingerprint_key(), data, hashlib.sha256).hexdigest()


def new_refresh_token(session_id: UUID) -> str:
    """An opaque token with 256 random bits that names its session to the auth service alone."""
    return seal(session_id.bytes + secrets.token_bytes(32)).decode()


def session_of_refresh_token(token: str) -> UUID:
    """Whose refresh token this is or once was; NotSignedIn when it is not one of ours."""
    return UUID(bytes=unseal(token.encode())[:16])
