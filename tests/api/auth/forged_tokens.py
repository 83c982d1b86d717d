"""Tokens made by hand, as a forger would."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from backend.shared.web.security import jwks


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, unverified."""
    header, claims, _ = (
        base64.urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in token.split(".")
    )
    return json.loads(header), json.loads(claims)


def unsigned(header: Any, claims: Any) -> str:
    return f"{part(header)}.{part(claims)}."


def signed(header: Any, claims: Any, pem: str) -> str:
    """By an RSA key."""
    content = f"{part(header)}.{part(claims)}"
    signature = jwks.load_private(pem).sign(content.encode(), padding.PKCS1v15(), SHA256())
    return f"{content}.{part(signature)}"


def keyed(header: Any, claims: Any, secret: bytes) -> str:
    """By HMAC with something that is public."""
    content = f"{part(header)}.{part(claims)}"
    return f"{content}.{part(hmac.new(secret, content.encode(), hashlib.sha256).digest())}"


def own_pem(servers: dict[str, str]) -> str:
    """The auth service's own key: what even its signature must not get past the checks."""
    return Path(servers["LUNA_AUTH_PRIVATE_KEY_FILE"]).read_text()
