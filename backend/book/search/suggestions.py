"""Complete what is being typed: titles, authors and subjects."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, text

from backend.shared.web.schemas import ResponseModel


class SuggestionKind(StrEnum):
    """What a suggestion is."""

    TITLE = "TITLE"
    AUTHOR = "AUTHOR"
    SUBJECT = "SUBJECT"


class Suggestion(ResponseModel):
    """A completion; `book_id` is given for a title, `books` counts the titles it stands for."""

    kind: SuggestionKind
    text: str
    book_id: UUID | None
    books: int


# Texts that begin with what was typed; of phrases also those in which a later word does.
_PREFIXED = text("""
    WITH typed AS (SELECT words_of(:typed) AS words),
    pattern AS (SELECT replace(replace(words, '\\', ''), '_', '') || '%' AS value, words FROM typed)
    (SELECT 'TITLE' AS kind, title AS text, id AS book_id, 1 AS books
     FROM books WHERE main_title_words LIKE (SELECT value FROM pattern)
         AND (SELECT words FROM typed) <> '' AND withdrawn_at IS NULL
     ORDER BY main_title_words, id LIMIT :most)
    UNION ALL
    (SELECT kind, text, NULL, books
     FROM search_phrases WHERE words LIKE (SELECT value FROM pattern)
         AND (SELECT words FROM typed) <> ''
     ORDER BY books DESC, words LIMIT :most)
""")
# Texts that resemble what was typed, when nothing begins with it.
_SIMILAR = text("""
    WITH typed AS (SELECT words_of(:typed) AS words)
    (SELECT kind, text, NULL AS book_id, books
     FROM search_phrases, typed WHERE search_phrases.words %> typed.words
     ORDER BY word_similarity(typed.words, search_phrases.words) DESC, books DESC LIMIT :most)
    UNION ALL
    (SELECT 'TITLE', title, id, 1
     FROM books, typed WHERE doc_words %> typed.words AND withdrawn_at IS NULL
     ORDER BY word_similarity(typed.words, doc_words) DESC, id LIMIT :most)
""")
_PARTS = (SuggestionKind.TITLE, SuggestionKind.AUTHOR, SuggestionKind.SUBJECT)


def find(connection: Connection, typed: str, most: int) -> list[Suggestion]:
    """Return at most `most` completions, titles, authors and subjects mixed."""
    given = {"typed": typed, "most": most}
    rows = connection.execute(_PREFIXED, given).all() or connection.execute(_SIMILAR, given).all()
    by_kind: dict[SuggestionKind, list[Suggestion]] = {kind: [] for kind in _PARTS}
    for row in rows:
        suggestion = Suggestion.model_validate(row)
        by_kind[suggestion.kind].append(suggestion)
    return _mixed(by_kind, most)


def _mixed(by_kind: dict[SuggestionKind, list[Suggestion]], most: int) -> list[Suggestion]:
    """Take from each kind in turn, so that no kind hides the others; keep the kinds together."""
    chosen: dict[SuggestionKind, int] = dict.fromkeys(_PARTS, 0)
    left = most
    while left and any(chosen[kind] < len(by_kind[kind]) for kind in _PARTS):
        for kind in _PARTS:
            if left and chosen[kind] < len(by_kind[kind]):
                chosen[kind] += 1
                left -= 1
    return [each for kind in _PARTS for each in by_kind[kind][: chosen[kind]]]
