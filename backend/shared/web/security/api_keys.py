"""Random secrets, their digests, and the keys of robots."""

import hashlib
import hmac
import secrets

_ROBOT_PREFIX = "luna_rb_"


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
