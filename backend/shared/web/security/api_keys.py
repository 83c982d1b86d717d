"""Random secrets, their digests, keys of robots and services."""

import hashlib
import hmac
import secrets

_ROBOT_PREFIX = "luna_rb_"
_SERVICE_PREFIX = "luna_sk_"


def new_secret() -> str:
    """Return 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a random secret: the stored form of refresh tokens, keys and codes."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_key(kind: str) -> tuple[str, str, str]:
    prefix = secrets.token_hex(6)
    key = f"{kind}{prefix}_{new_secret()}"
    return key, prefix, digest(key)


def _prefix(kind: str, key: str) -> str | None:
    if not key.startswith(kind):
        return None
    prefix, _, secret = key.removeprefix(kind).partition("_")
    return prefix if prefix and secret else None


def new_robot_key() -> tuple[str, str, str]:
    """Return a robot key (shown once), its look-up prefix and its hash."""
    return _new_key(_ROBOT_PREFIX)


def robot_key_prefix(key: str) -> str | None:
    """Return the look-up prefix of a robot key; None for anything of another form."""
    return _prefix(_ROBOT_PREFIX, key)


def new_service_key() -> tuple[str, str, str]:
    """Return the key of a machine (shown once), its look-up prefix and its hash."""
    return _new_key(_SERVICE_PREFIX)


def service_key_prefix(key: str) -> str | None:
    """Return the look-up prefix of a service key; None for anything of another form."""
    return _prefix(_SERVICE_PREFIX, key)


def matches_digest(secret: str, stored: str) -> bool:
    return hmac.compare_digest(digest(secret), stored)
