"""Create the RS256 key pair: a private PEM for the auth service, a public JWKS for all services.

    python -m backend.shared.web.security.jwks --private private.pem --public jwks.json

Existing files are kept.
"""

import argparse
import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
    generate_private_key,
)

from backend.shared.infra import config

_BITS = 2048


def private_pem() -> str:
    pem = config.auth().auth_private_key
    if pem is None:
        raise RuntimeError("LUNA_AUTH_PRIVATE_KEY is not set: only the auth service signs tokens")
    return pem.strip()


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
