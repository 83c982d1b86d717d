"""Encryption and keyed digests of a service, by keys derived from a secret that it holds.

The secret is the first signing key in the auth service, and the address of the database, which
holds a password, in the others.
"""

import base64
import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.shared.errors import NotSignedIn
from backend.shared.infra import config
from backend.shared.web.security import jwks
from backend.shared.web.security.key_files import PRIVATE


def _derived_key(purpose: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"luna {purpose}".encode())
    pem = PRIVATE.text()
    secret = config.database().database_url if pem is None else jwks.root_pem(pem)
    return kdf.derive(secret.encode())


@cache
def _fernet() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived_key("seal")))


_key_of = cache(_derived_key)


def encrypt(plain: bytes) -> bytes:
    """Encrypt and authenticate data, so that only this service can read or create it."""
    return _fernet().encrypt(plain)


def decrypt(encrypted: bytes, max_age: int | None = None) -> bytes:
    """Decrypt data; NotSignedIn if not encrypted here, or more than `max_age` seconds ago."""
    try:
        return _fernet().decrypt(encrypted, ttl=max_age)
    except InvalidToken as error:
        raise NotSignedIn from error


def mac(purpose: str, data: bytes) -> bytes:
    """Return 32 bytes that only this service can compute from data; another purpose, others."""
    return hmac.new(_key_of(purpose), data, hashlib.sha256).digest()


def keyed_digest(data: bytes) -> str:
    """Return a digest that identifies data but cannot be used to guess them."""
    return mac("fingerprint", data).hex()
