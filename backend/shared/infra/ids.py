"""Identifiers: UUID version 7 (sortable by time) and short references for people."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7

# Without letters and digits that are easily confused.
_ALPHABET = "ABCDEFGHJKMNPQRTUVWXYZ2346789"
_REFERENCE_LENGTH = 7


def uuid7() -> UUID:
    return _uuid7()


def reference() -> str:
    """Return a code like `K7QX4MR` for a delivery, one of 29⁷ ≈ 17 billion.

    It is unique by index: beside 100 000 deliveries, one of 170 000 new ones is refused.
    """
    number = secrets.randbelow(len(_ALPHABET) ** _REFERENCE_LENGTH)  # one read of randomness
    code = ""
    for _ in range(_REFERENCE_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        code += _ALPHABET[digit]
    return code


def request_id() -> str:
    return f"req_{uuid7().hex}"
