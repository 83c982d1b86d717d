"""Barcodes of copies: `LB`, eight digits from a sequence of the database, a check digit."""

from sqlalchemy import text
from sqlalchemy.orm import Session
from stdnum import luhn

_NEXT = text("SELECT nextval('barcodes') FROM generate_series(1, :count)")


def new(session: Session, count: int) -> list[str]:
    """So many barcodes that nobody else gets; a mistyped or swapped digit does not check."""
    return [_barcode(number) for number in session.execute(_NEXT, {"count": count}).scalars()]


def _barcode(number: int) -> str:
    digits = f"{number:08d}"
    return f"LB{digits}{luhn.calc_check_digit(digits)}"
