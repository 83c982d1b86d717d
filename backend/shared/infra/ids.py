"""Identifiers: UUID version 7 (they sort by time) and the short references people speak."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7

# No letters or digits that are mistaken for one another when read aloud or from a label.
_CLEAR_LETTERS = "ABCDEFGHJKMNPQRTUVWXYZ2346789"
_REFERENCE_LENGTH = 6


def uuid7() -> UUID:
    return _uuid7()


def reference() -> str:
    """A code like `K7QX4M` for a delivery; 29⁶ ≈ 595 million of them, unique by index."""
    return "".join(secrets.choice(_CLEAR_LETTERS) for _ in range(_REFERENCE_LENGTH))


def request_id() -> str:
    return f"req_{uuid7().hex}"
