"""ISBNs: checked by their check digit, kept as the 13 digits of an ISBN-13."""

from stdnum import isbn as _isbn
from stdnum.exceptions import ValidationError

_SHORT, _LONG = 10, 13


def canonical(given: str) -> str | None:
    """The ISBN-13 of an ISBN-10 or -13 in any usual spelling; None for anything else."""
    digits = _isbn.compact(given).upper()
    if len(digits) not in {_SHORT, _LONG} or not digits.isascii():
        return None
    try:
        return str(_isbn.to_isbn13(_isbn.validate(digits)))
    except ValidationError:
        return None


def with_zeros_back(given: str) -> str | None:
    """The ISBN-13 of an ISBN-10 whose zeros on the left a spreadsheet has dropped.

    Zeros are put back up to ten characters and only then is the check digit asked: a guess that
    it does not confirm is no ISBN.
    """
    digits = _isbn.compact(given).upper()
    return canonical(digits.rjust(_SHORT, "0")) if 0 < len(digits) < _SHORT else None
