"""Decide which titles a search text means: exactly, then with corrections, then by resemblance.

Each step runs only when the one before has found nothing, so that exact searches stay fast. A text
that has matches but names no title may still be a misspelt title: such titles are added.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Text,
    Uuid,
    and_,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from backend.book.search import query_syntax, spelling
from backend.book.search.query_syntax import ParsedQuery, Term
from backend.book.search.spelling import Corrections
from backend.shared.models import Book

# Word similarity of a title that resembles the text but does not have its words.
_MIN_SIMILARITY = 0.45
_MAX_SIMILAR = 30
MAX_COUNTED = 1000
_ANALYZE = text("""
    SELECT given.word, plainto_tsquery('simple', given.word)::text,
           coalesce((SELECT books FROM search_words AS known WHERE known.word = given.word), 0)
    FROM regexp_split_to_table(words_of(:given), ' ') WITH ORDINALITY AS given (word, position)
    ORDER BY given.position
""")
_PRESENT = text("""
    SELECT given.word
    FROM unnest(CAST(:words AS text[]), CAST(:lexemes AS text[])) AS given (word, lexemes)
    WHERE EXISTS (SELECT FROM books WHERE search @@ given.lexemes::tsquery)
""")


@dataclass(frozen=True)
class _Word:
    """A word of the text, normalized, as an operand of a tsquery ("" if it is not indexed)."""

    text: str
    lexemes: str
    books: int  # titles with this word in the vocabulary


@dataclass
class Matches:
    """What matches a search text, and the texts that titles are ranked by."""

    condition: ColumnElement[bool]
    text: str = ""  # normalized
    corrected: str = ""  # the same when nothing was corrected
    ts_query: ColumnElement[Any] | None = None
    isbn: str | None = None
    did_you_mean: str | None = None
    phrases: list[str] = field(default_factory=list)  # what the text may stand for
    count: int | None = None  # if it is known; at most MAX_COUNTED
    near: list[str] = field(default_factory=list)  # main titles that differ in one word
    words: list[str] = field(default_factory=list)  # that a match may contain, for `match`


def find(connection: Connection, q: str, *, exact: bool = False) -> Matches:
    """Return the titles that `q` means; with `exact` without corrections."""
    parsed = query_syntax.parse(q)
    restrictions = _restrictions(parsed)
    if parsed.isbn is not None:
        return _isbn_match(parsed)
    words = _analyze(connection, parsed.text)
    if not words:
        condition = and_(*restrictions) if restrictions else false()
        return Matches(condition, words=_plain_words(parsed))
    normalized = " ".join(word.text for word in words)
    groups = [_exactly(word, is_last=word is words[-1]) for word in words]
    strict = _ts_query(groups)
    found = Matches(
        and_(_matches(strict), *restrictions),
        text=normalized,
        corrected=normalized,
        ts_query=strict,
        words=[*normalized.split(), *_plain_words(parsed)],
    )
    if exact:
        return found
    found.count, names_title = _examine(connection, found)
    if not found.count:
        return _corrected(connection, found, words, restrictions)
    if not names_title:
        corrections = _look_up(connection, words, words)
        _add_near_titles(connection, found, corrections, restrictions)
    return found


def _examine(connection: Connection, found: Matches) -> tuple[int, bool]:
    """Count the matches, and tell whether a main title that begins the text is among them."""
    words = found.text.split()
    beginnings = [" ".join(words[: at + 1]) for at in range(len(words))]
    named = select(Book.id).where(
        found.condition, Book.withdrawn_at.is_(None), Book.main_title_words.in_(beginnings)
    )
    some = select(_matching(found.condition)).limit(MAX_COUNTED).subquery()
    counted = select(func.count()).select_from(some).scalar_subquery()
    row = connection.execute(select(counted, named.exists())).one()
    return row[0], row[1]


def _matching(condition: ColumnElement[bool]) -> CTE:
    """Select the matches. Planned as for all: for one, the table might be scanned."""
    matching = select(Book.id).where(condition, Book.withdrawn_at.is_(None))
    return matching.cte("matching").prefix_with("MATERIALIZED")


def _look_up(connection: Connection, words: Sequence[_Word], given: Sequence[_Word]) -> Corrections:
    """Return what the words may stand for; those that were `given` tell how common they are."""
    known = {word.text: word.books for word in given}
    return spelling.corrections(connection, [word.text for word in words], known)


def _add_near_titles(
    connection: Connection,
    found: Matches,
    corrections: Corrections,
    restrictions: list[ColumnElement[bool]],
) -> None:
    """Match also the titles whose main title is the text with one word misspelt."""
    texts = spelling.changed_once(found.text.split(), corrections)
    near = select(Book.main_title_words).where(
        Book.main_title_words.in_(texts), Book.withdrawn_at.is_(None)
    )
    found.near = list(connection.execute(near.distinct()).scalars()) if texts else []
    if found.near:
        found.count = None
        titles = and_(Book.main_title_words.in_(found.near), *restrictions)
        found.condition = or_(found.condition, titles)
        found.words += [word for title in found.near for word in title.split()]


def _corrected(
    connection: Connection,
    found: Matches,
    words: Sequence[_Word],
    restrictions: list[ColumnElement[bool]],
) -> Matches:
    found.count = None
    given, words = words, _with_new_words(connection, words)
    corrections = _look_up(connection, words, given)
    groups = _groups(words, corrections)
    loose = _ts_query([group for group in groups if group])
    found.corrected = _best_text(words, corrections)
    found.phrases = spelling.phrases([word.text for word in words], corrections)
    found.ts_query = loose
    condition = and_(_matches(loose), *restrictions)
    if _any(connection, condition):
        found.condition = condition
    elif any(not word.books for word in words):
        similar = _similar(connection, found)
        found.condition = and_(Book.id.in_(similar), *restrictions)
    _add_near_titles(connection, found, corrections, restrictions)
    if found.corrected != found.text:
        found.did_you_mean = found.corrected
    found.words += [
        part for word in words for each in corrections.of(word.text) for part in each.words
    ]
    return found


def _with_new_words(connection: Connection, words: Sequence[_Word]) -> list[_Word]:
    """Return the words, those of titles that the vocabulary does not know yet counted as known."""
    unknown = [word for word in words if not word.books]
    given = {"words": [w.text for w in unknown], "lexemes": [w.lexemes for w in unknown]}
    present: set[str] = set(connection.execute(_PRESENT, given).scalars()) if unknown else set()
    return [replace(word, books=1) if word.text in present else word for word in words]


def _similar(connection: Connection, found: Matches) -> list[UUID]:
    similar: list[UUID] = []
    for phrase in dict.fromkeys([found.corrected, found.text]):
        found_ids = func.similar_books(phrase, _MIN_SIMILARITY, _MAX_SIMILAR, type_=Uuid())
        similar += connection.execute(select(found_ids.column_valued("similar"))).scalars()
    return list(dict.fromkeys(similar))


def _isbn_match(parsed: ParsedQuery) -> Matches:
    same = has_isbn(str(parsed.isbn))
    return Matches(same, isbn=parsed.isbn, text=parsed.text, corrected=parsed.text)


def has_isbn(number: str) -> ColumnElement[bool]:
    """Match the ISBN of a title or one of its other ISBNs."""
    others: ColumnElement[bool] = Book.other_identifiers.contains({"ISBN": [number]})
    return or_(Book.isbn == number, others)


def _analyze(connection: Connection, given: str) -> list[_Word]:
    """Normalize a text; one statement gives its words and how common they are."""
    if not given.strip():
        return []
    rows = connection.execute(_ANALYZE, {"given": given})
    return [_Word(*row) for row in rows if row[1]]


def _exactly(word: _Word, *, is_last: bool) -> str:
    return f"{word.lexemes}:*" if is_last and " " not in word.lexemes else word.lexemes


def _groups(words: Sequence[_Word], corrections: Corrections) -> list[str]:
    """Return for each word an operand of what it may stand for; "" for a word that has nothing."""
    texts = [word.text for word in words]
    pairs = ["", *(one + other for one, other in pairwise(texts)), ""]
    groups = []
    for at, word in enumerate(words):
        is_last = at == len(words) - 1
        options = [_exactly(word, is_last=is_last)] if word.books or is_last else []
        options += [
            "(" + " & ".join(_quote(part) for part in each.words) + ")"
            for each in corrections.of(word.text)
        ]
        options += [_quote(pair) for pair in pairs[at : at + 2] if pair in corrections.joined]
        groups.append(f"({' | '.join(options)})" if options else "")
    return groups


def _best_text(words: Sequence[_Word], corrections: Corrections) -> str:
    """Return the text with each unknown word replaced by its best alternative."""
    best = (
        " ".join(corrections.of(word.text)[0].words)
        if not word.books and corrections.of(word.text)
        else word.text
        for word in words
    )
    return " ".join(best)


def _quote(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _ts_query(groups: Sequence[str]) -> ColumnElement[Any]:
    return cast(literal(" & ".join(groups)), TSQUERY)


def _matches(query: ColumnElement[Any]) -> ColumnElement[bool]:
    return Book.search.bool_op("@@")(query)


def _any(connection: Connection, condition: ColumnElement[bool]) -> bool:
    return connection.execute(select(select(_matching(condition)).exists())).scalar_one()


def _plain_words(parsed: ParsedQuery) -> list[str]:
    return [word for term in parsed.required for word in term.text.split()]


def _restrictions(parsed: ParsedQuery) -> list[ColumnElement[bool]]:
    conditions = [_term(term) for term in parsed.required]
    conditions += [not_(_term(term)) for term in parsed.excluded]
    conditions += [has_isbn(number) for number in parsed.isbns]
    conditions += [Book.language == language for language in parsed.languages]
    if parsed.year_from is not None:
        conditions.append(Book.publication_year >= parsed.year_from)
    if parsed.year_to is not None:
        conditions.append(Book.publication_year <= parsed.year_to)
    return conditions


def _term(term: Term) -> ColumnElement[bool]:
    """Match the words of a term; null, which matches nothing, without a word."""
    query = words_query(term.text, term.label, is_phrase=term.is_phrase)
    return func.coalesce(_matches(query), false())


def words_query(given: str, label: str = "", *, is_phrase: bool = False) -> ColumnElement[Any]:
    """Return a tsquery of all words of a text within the part of a title that `label` names.

    The last word of a text that is no phrase is a prefix. PostgreSQL quotes the words; labels
    follow its quotes. Null without a word.
    """
    parse = func.phraseto_tsquery if is_phrase else func.plainto_tsquery
    quoted = func.nullif(cast(parse("simple", func.words_of(literal(given))), Text), "")
    if label:
        quoted = func.regexp_replace(quoted, "'( [&<])", f"':{label}\\1", "g")
    end = label if is_phrase else f"*{label}"
    return cast(func.regexp_replace(quoted, "'$", f"':{end}" if end else "'"), TSQUERY)
