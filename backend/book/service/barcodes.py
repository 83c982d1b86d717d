"""Barcodes of copies: `LB`, eight digits from a database sequence, a check digit."""

from sqlalchemy import text
from sqlalchemy.orm import Session
from stdnum import luhn

_NEXT_NUMBERS = text("SELECT nextval('barcodes') FROM generate_series(1, :count)")


def generate(session: Session, count: int) -> list[str]:
    """Return new barcodes; the check digit detects a mistyped or swapped digit."""
    numbers: list[int] = list(session.execute(_NEXT_NUMBERS, {"count": count}).scalars())
    return [_barcode(number) for number in numbers]


def _barcode(number: int) -> str:
    digits = f"{number:08d}"
    return f"LB{digits}{luhn.calc_check_digit(digits)}"
