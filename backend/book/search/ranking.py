"""Rank titles by how well they match a search text."""

from typing import Any

from sqlalchemy import REAL, ColumnElement, case, cast, func, literal
from sqlalchemy.dialects.postgresql import ARRAY

from backend.book.search.matching import Matches
from backend.shared.models import Book

# Weight of a match in: publisher, subjects, people, title.
_WEIGHTS = [0.05, 0.2, 0.5, 1.0]
_NORMALIZE_BY_LENGTH = 1  # ts_rank_cd divides by 1 + log(length): short titles rank higher
_EXACT, _EXACT_MAIN, _EXACT_CORRECTED, _PREFIX = 3.0, 2.5, 2.5, 1.2
_NEAR = 1.0  # below titles that begin with the text
_TEXT_RANK = 0.6
_SIMILARITY, _WORD_SIMILARITY = 0.8, 1.0


def rank(found: Matches) -> ColumnElement[Any]:
    """Return the rank of a title; higher is better."""
    if found.isbn is not None or found.ts_query is None:
        return cast(literal(0), REAL)
    weights = cast(_WEIGHTS, ARRAY(REAL))
    by_words = func.ts_rank_cd(weights, Book.search, found.ts_query, _NORMALIZE_BY_LENGTH)
    total = (
        _TEXT_RANK * by_words
        + _by_title(found.text)
        + _SIMILARITY * func.similarity(Book.main_title_words, found.text)
    )
    if found.near:
        total += case((Book.main_title_words.in_(found.near), _NEAR), else_=0.0)
    if not found.phrases:
        return total
    return total + (
        _WORD_SIMILARITY * func.word_similarity(found.corrected, Book.doc_words)
        + _WORD_SIMILARITY * func.word_similarity(found.text, Book.doc_words)
        + _SIMILARITY * func.similarity(Book.main_title_words, found.corrected)
        + case((Book.main_title_words.in_(found.phrases), _EXACT_CORRECTED), else_=0.0)
    )


def _by_title(text: str) -> ColumnElement[Any]:
    return case(
        (~func.starts_with(Book.title_words, text), 0.0),  # true for most rows
        (Book.title_words == text, _EXACT),
        (Book.main_title_words == text, _EXACT_MAIN),
        else_=_PREFIX,
    )
