"""The JWT library; only this module imports it, so it can be exchanged here.

A token is signed with RS256. `kid` selects the key; `jku`, `jwk` and `x5u` are ignored, and a token
with `crit` is refused. Times are checked by the caller, against the clock of all processes.
"""

from typing import Any

from jose import jwk, jwt
from jose.backends.base import Key
from jose.exceptions import JOSEError

ALGORITHM = "RS256"
_OPTIONS = {f"verify_{name}": False for name in ("aud", "iss", "exp", "iat", "nbf", "sub", "jti")}
VerifyingKey = Key


class InvalidSignature(Exception):
    """A token that is malformed, or not signed by a key of ours."""


def load_key(pem: str) -> Key:
    """Load a private key to sign, or a public one to verify.

    Keep it: checking an RSA key on loading takes forty times as long as signing.
    """
    return jwk.construct(pem, ALGORITHM)


def sign(claims: dict[str, Any], key: Key, kid: str) -> str:
    """Return a token with these claims."""
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


def header(token: str) -> dict[str, Any]:
    """Return the header of a token, without verification."""
    try:
        return jwt.get_unverified_header(token)
    except JOSEError as error:
        raise InvalidSignature from error


def verify(token: str, key: Key) -> dict[str, Any]:
    """Return the claims of a token that this key has signed; InvalidSignature for any other."""
    try:
        return jwt.decode(token, key, algorithms=[ALGORITHM], options=_OPTIONS)
    except JOSEError as error:
        raise InvalidSignature from error
