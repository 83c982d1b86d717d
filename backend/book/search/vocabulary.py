"""Refresh the vocabulary of the search in the background: words, authors, subjects."""

from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared.infra import cache, clock, commit_hooks, database
from backend.shared.models import Book, SearchState

_MAX_AGE = timedelta(hours=1)  # a corrected title enters the vocabulary this late at most
_OVERLAP = timedelta(minutes=1)  # longer than a transaction that creates titles

_WORDS = text("""
    WITH counted AS MATERIALIZED (
        SELECT word, ndoc AS books
        FROM ts_stat('SELECT search FROM books WHERE withdrawn_at IS NULL')
        WHERE length(word) <= 60
    ), gone AS (
        DELETE FROM search_words WHERE word NOT IN (SELECT word FROM counted)
    )
    INSERT INTO search_words (word, books) SELECT word, books FROM counted
    ON CONFLICT (word) DO UPDATE SET books = excluded.books
        WHERE search_words.books <> excluded.books
""")
_PHRASES = text("""
    WITH phrases AS (
        SELECT 'AUTHOR' AS kind, words_of(name) AS words, name AS text
        FROM books, unnest(string_to_array(author, ', ') || contributors) AS name
        WHERE withdrawn_at IS NULL
        UNION ALL
        SELECT 'SUBJECT', words_of(subject), subject
        FROM books, unnest(subjects) AS subject WHERE withdrawn_at IS NULL
    ), counted AS MATERIALIZED (
        SELECT kind, words, min(btrim(text)) AS text, count(*)::integer AS books
        FROM phrases WHERE words <> '' AND length(words) <= 200 GROUP BY kind, words
    ), gone AS (
        DELETE FROM search_phrases WHERE (kind, words) NOT IN (SELECT kind, words FROM counted)
    )
    INSERT INTO search_phrases (kind, words, text, books)
    SELECT kind, words, text, books FROM counted
    ON CONFLICT (kind, words) DO UPDATE SET text = excluded.text, books = excluded.books
        WHERE (search_phrases.text, search_phrases.books) <> (excluded.text, excluded.books)
""")


def refresh_if_stale(session: Session) -> bool:
    """Refresh when titles were created since the last time, or after an hour."""
    refreshed_at = session.execute(select(SearchState.refreshed_at)).scalar_one_or_none()
    if refreshed_at is not None:
        newer = (
            select(Book.id)
            .where(Book.created_at > refreshed_at, Book.withdrawn_at.is_(None))
            .limit(1)
        )
        is_old = refreshed_at < clock.now() - _MAX_AGE
        if not is_old and session.execute(newer).first() is None:
            return False
    refresh(session)
    return True


def refresh(session: Session) -> None:
    """Count the words, authors and subjects of all titles, and invalidate cached searches."""
    session.execute(_WORDS)
    session.execute(_PHRASES)
    state = insert(SearchState).values(id=1, refreshed_at=clock.now() - _OVERLAP)
    session.execute(
        state.on_conflict_do_update(
            index_elements=[SearchState.id], set_={"refreshed_at": state.excluded.refreshed_at}
        )
    )
    database.on_commit(session, commit_hooks.Increment(cache.CATALOGUE_VERSION))
