"""Vocabulary of the catalogue search. Written by the book service only."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base

# New entries are sorted at once: a look-up reads the whole list of unsorted ones.
_SORTED = {"fastupdate": "off"}


class SearchWord(Base):
    """A word of the titles and the number of titles that have it."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(primary_key=True)
    books: Mapped[int]

    __table_args__ = (
        Index(
            "ix_search_words_word",
            "word",
            postgresql_using="gin",
            postgresql_with=_SORTED,
            postgresql_ops={"word": "gin_trgm_ops"},
        ),
    )


class SearchPhrase(Base):
    """An author or a subject, normalized and as it is shown."""

    __tablename__ = "search_phrases"

    kind: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    books: Mapped[int]

    __table_args__ = (
        Index("ix_search_phrases_words", "words", postgresql_ops={"words": "text_pattern_ops"}),
        Index(
            "ix_search_phrases_similar",
            "words",
            postgresql_using="gin",
            postgresql_with=_SORTED,
            postgresql_ops={"words": "gin_trgm_ops"},
        ),
    )


class SearchState(Base):
    """One row: titles created later than this are not in the vocabulary yet."""

    __tablename__ = "search_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    refreshed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
