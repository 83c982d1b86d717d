"""Encryption and keyed digests of the auth service, with keys derived from its signing key."""

import base64
import hashlib
import hmac
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.shared.errors import NotSignedIn
from backend.shared.web.security.jwks import private_pem


def _derived_key(purpose: str) -> bytes:
    """A key of the auth service alone, made from its private key."""
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"luna {purpose}".encode())
    return kdf.derive(private_pem().encode())


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
