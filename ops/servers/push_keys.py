"""The VAPID key pair of Web Push, made once, unless the settings name one."""

import os
import sys
from base64 import urlsafe_b64encode
from pathlib import Path

from ops.home import write_atomically

PRIVATE, PUBLIC = "LUNA_PUSH_PRIVATE_KEY", "LUNA_PUSH_PUBLIC_KEY"
_FILES = {PRIVATE: "push-private.secret", PUBLIC: "push-public"}


def settings(folder: Path) -> dict[str, str]:
    """Return the settings that name the files of the key pair in `folder`."""
    if os.environ.get(PRIVATE) or os.environ.get(f"{PRIVATE}_FILE"):
        return {}
    return {f"{name}_FILE": str(folder / file) for name, file in _FILES.items()}


def exist(folder: Path) -> bool:
    """Tell whether the key pair was made, or the settings name another."""
    return all(Path(file).exists() for file in settings(folder).values())


def make(folder: Path) -> None:
    """Make a key pair, base64url as browsers take it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    number = key.private_numbers().private_value.to_bytes(32, "big")
    write_atomically(folder / _FILES[PRIVATE], _base64(number))
    write_atomically(folder / _FILES[PUBLIC], _base64(point))


def _base64(key: bytes) -> str:
    return urlsafe_b64encode(key).rstrip(b"=").decode()


if __name__ == "__main__":
    make(Path(sys.argv[1]))
