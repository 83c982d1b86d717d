"""Build JWTs by hand, valid and forged."""

import base64
import hashlib
import hmac
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from backend.shared.web.security import jwks


def segment(value: Any) -> str:
    """Encode one segment of a JWT."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims without verification."""
    header, claims, _ = (
        base64.urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in token.split(".")
    )
    return json.loads(header), json.loads(claims)


def unsigned(header: Any, claims: Any) -> str:
    return f"{segment(header)}.{segment(claims)}."


load_private = lru_cache(maxsize=8)(jwks.load_private)  # checking a key takes 40 ms
public_jwk = lru_cache(maxsize=8)(jwks.public_jwk)


def rsa_signed(header: Any, claims: Any, pem: str) -> str:
    """Sign with an RSA key."""
    content = f"{segment(header)}.{segment(claims)}"
    signature = load_private(pem).sign(content.encode(), padding.PKCS1v15(), SHA256())
    return f"{content}.{segment(signature)}"


def hmac_signed(header: Any, claims: Any, secret: bytes) -> str:
    """Sign with HMAC."""
    content = f"{segment(header)}.{segment(claims)}"
    return f"{content}.{segment(hmac.new(secret, content.encode(), hashlib.sha256).digest())}"


def signing_key(servers: dict[str, str]) -> str:
    """Read the private key of the auth service, to sign claims that it would not issue."""
    return Path(servers["LUNA_AUTH_PRIVATE_KEY_FILE"]).read_text()
