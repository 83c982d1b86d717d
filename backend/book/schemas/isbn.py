"""Validate ISBNs and convert them to ISBN-13 digits."""

from stdnum import isbn as _isbn
from stdnum.exceptions import ValidationError

_ISBN10_LENGTH, _ISBN13_LENGTH = 10, 13


def normalize(text: str) -> str | None:
    """Return the ISBN-13 of an ISBN-10 or -13 in any usual spelling, or None if invalid."""
    digits = _isbn.compact(text).upper()
    if len(digits) not in {_ISBN10_LENGTH, _ISBN13_LENGTH} or not digits.isascii():
        return None
    try:
        return str(_isbn.to_isbn13(_isbn.validate(digits)))
    except ValidationError:
        return None


def restore_leading_zeros(text: str) -> str | None:
    """Return the ISBN-13 of an ISBN-10 whose leading zeros a spreadsheet dropped.

    None unless the check digit confirms it.
    """
    digits = _isbn.compact(text).upper()
    return (
        normalize(digits.rjust(_ISBN10_LENGTH, "0")) if 0 < len(digits) < _ISBN10_LENGTH else None
    )
