"""RS256 keys: a private PEM for the auth service, a public JWKS for all services.

    python -m backend.shared.web.security.jwks --private private.pem --public jwks.json

Existing files are kept.
"""

import argparse
import base64
import hashlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
    generate_private_key,
)

from backend.shared.infra import clock, config

_BITS = 2048


_RETIRED_AT = "retired_at"  # seconds since 1970; in the file, never published
_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)


def _pems(text: str | None) -> list[str]:
    if not (found := _PEM.findall(text or "")):
        raise RuntimeError("LUNA_AUTH_PRIVATE_KEY is not set: only the auth service signs tokens")
    return found


def signing_pem(text: str | None) -> str:
    """Return the private key that signs: the first of the file."""
    return _pems(text)[0]


def root_pem(text: str | None) -> str:
    """Return the first key ever made, the last of the file: encryption keys derive from it.

    A rotation keeps it, since what it encrypts must stay readable.
    """
    return _pems(text)[-1]


def valid_until(jwk: dict[str, Any]) -> datetime | None:
    """Return when the last token of a retired key expires; None for the key in use."""
    retired_at = jwk.get(_RETIRED_AT)
    if retired_at is None:
        return None
    return datetime.fromtimestamp(retired_at, UTC) + config.auth().access_token_life


def is_valid(jwk: dict[str, Any], now: datetime) -> bool:
    """Return whether a key still verifies tokens."""
    until = valid_until(jwk)
    return until is None or until > now


def published(jwk: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a key that clients see."""
    return {name: value for name, value in jwk.items() if name != _RETIRED_AT}


def rotate(private: Path, public: Path, *, revoke: bool = False) -> str:
    """Sign with a new key from now on; return its `kid`.

    The previous key verifies its tokens until they expire, or not at all with `revoke`. The public
    keys are replaced first, so that no service meets a token whose key it cannot read.
    """
    now = clock.now()
    old = json.loads(public.read_text(encoding="ascii"))["keys"]
    kept = [each for each in old if is_valid(each, now)] if not revoke else []
    retired = [{_RETIRED_AT: int(now.timestamp()), **each} for each in kept]
    root = root_pem(private.read_text(encoding="ascii"))
    pem = generate().strip()
    new = public_jwk(pem)
    _replace(public, json.dumps({"keys": [new, *retired]}), public.stat().st_mode)
    _replace(private, f"{pem}\n{root}\n", 0o600)
    return new["kid"]


def _replace(path: Path, text: str, mode: int) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o777)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def _encode(value: int) -> str:
    size = (value.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()


def _decode(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def generate() -> str:
    """Return a new private key as PEM."""
    key = generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def load_private(pem: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("the private key is not an RSA key")
    return key


def public_jwk(pem: str) -> dict[str, str]:
    """Return the public key of a private PEM; its `kid` is the hash of the modulus."""
    numbers = load_private(pem).public_key().public_numbers()
    kid = hashlib.sha256(_encode(numbers.n).encode()).hexdigest()[:16]
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": kid,
        "n": _encode(numbers.n),
        "e": _encode(numbers.e),
    }


def public_pem(jwk: dict[str, Any]) -> str:
    key: RSAPublicKey = RSAPublicNumbers(_decode(jwk["e"]), _decode(jwk["n"])).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--private", type=Path, required=True)
    options.add_argument("--public", type=Path, required=True)
    chosen = options.parse_args()
    if not chosen.private.exists():
        descriptor = os.open(chosen.private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(generate())
    if not chosen.public.exists():
        jwks = {"keys": [public_jwk(chosen.private.read_text())]}
        chosen.public.write_text(json.dumps(jwks))


if __name__ == "__main__":
    main()
