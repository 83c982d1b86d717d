"""How accounts are registered."""

from enum import StrEnum


class Registration(StrEnum):
    OPEN = "open"  # 201 and signed in, or 409
    VERIFY = "verify"  # always 202; a mail tells
