"""Refuse to start in production with an unsafe value, by the name of its setting."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from backend.shared.infra import config

_MIN_KEY_BITS = 2048
_MIN_PASSWORD_LENGTH = 12
_DEFAULT_PASSWORDS = frozenset({"luna", "changeme", "password", "postgres", "secret"})
_MAX_REVOCATION_DELAY = timedelta(seconds=2)
_MAX_ACCESS_LIFE = timedelta(hours=1)
_MAX_REFRESH_LIFE = timedelta(days=7)


def refuse_unsafe() -> None:
    """Raise UnsafeSetting for the values that are not allowed in production."""
    if config.process().environment is not config.Environment.PRODUCTION:
        return
    problems = [*_of_process(), *_of_database(), *_of_tokens()]
    if problems:
        raise config.UnsafeSetting("; ".join(problems))


def _of_process() -> Iterator[str]:
    if config.process().clock_file is not None:
        yield "LUNA_CLOCK_FILE is for tests only"
    if "*" in config.http().origins:
        yield "LUNA_ALLOWED_ORIGINS must not be *"


def _of_database() -> Iterator[str]:
    settings = config.database()
    urls = {
        "LUNA_DATABASE_URL": settings.database_url,
        "LUNA_DATABASE_OWNER_URL": settings.database_owner_url,
    }
    used: set[str] = set()
    for name, url in urls.items():
        parts = urlsplit(url or "")
        password = unquote(parts.password or "")
        if url is None or not password:  # authenticated by a socket or a certificate
            continue
        if password == unquote(parts.username or ""):
            yield f"{name} must not have the user's name as password"
        elif password.lower() in _DEFAULT_PASSWORDS or len(password) < _MIN_PASSWORD_LENGTH:
            yield f"{name} must have a password of {_MIN_PASSWORD_LENGTH} characters, no default"
        elif password in used:
            yield f"{name} must not have the password of another role"
        used.add(password)


def _of_tokens() -> Iterator[str]:
    settings = config.auth()
    if settings.revocation_delay > _MAX_REVOCATION_DELAY:
        yield "LUNA_REVOCATION_DELAY must be at most PT2S"
    if settings.access_token_life > _MAX_ACCESS_LIFE:
        yield "LUNA_ACCESS_TOKEN_LIFE must be at most PT1H"
    if settings.refresh_token_life > _MAX_REFRESH_LIFE:
        yield "LUNA_REFRESH_TOKEN_LIFE must be at most P7D"
    if settings.auth_private_key is not None and _bits(settings.auth_private_key) < _MIN_KEY_BITS:
        yield f"LUNA_AUTH_PRIVATE_KEY must be an RSA key of at least {_MIN_KEY_BITS} bits"


def _bits(pem: str) -> int:
    """Return the size of an RSA key; 0 for another kind of key."""
    key = load_pem_private_key(pem.strip().encode(), password=None)
    return key.key_size if isinstance(key, RSAPrivateKey) else 0
