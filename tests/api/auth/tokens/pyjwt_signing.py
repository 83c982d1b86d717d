"""The interface of backend/shared/web/security/signing.py on another library, PyJWT."""

from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from backend.shared.web.security.signing import ALGORITHM, InvalidSignature

VerifyingKey = Any
_OPTIONS: Any = {
    f"verify_{name}": False for name in ("aud", "iss", "exp", "iat", "nbf", "sub", "jti")
}


def load_key(pem: str) -> Any:
    data = pem.encode()
    return load_pem_private_key(data, None) if "PRIVATE" in pem else load_pem_public_key(data)


def sign(claims: dict[str, Any], key: Any, kid: str) -> str:
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


def header(token: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise InvalidSignature from error


def verify(token: str, key: Any) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], options=_OPTIONS)
    except jwt.PyJWTError as error:
        raise InvalidSignature from error
    return claims
