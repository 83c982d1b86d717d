"""Random secrets, their digests, and robot keys."""

import hashlib
import hmac
import secrets

_ROBOT_PREFIX = "luna_rb_"


def new_secret() -> str:
    """Return 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a random secret: the stored form of refresh tokens, keys and codes."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_robot_key() -> tuple[str, str, str]:
    """Return a robot key (shown once), its look-up prefix and its hash."""
    prefix = secrets.token_hex(6)
    key = f"{_ROBOT_PREFIX}{prefix}_{new_secret()}"
    return key, prefix, digest(key)


def robot_key_prefix(key: str) -> str | None:
    """Return the look-up prefix of a robot key; None for anything of another form."""
    if not key.startswith(_ROBOT_PREFIX):
        return None
    prefix, _, secret = key.removeprefix(_ROBOT_PREFIX).partition("_")
    return prefix if prefix and secret else None


def matches_digest(secret: str, stored: str) -> bool:
    return hmac.compare_digest(digest(secret), stored)
