"""Decide which titles a search text means: exactly, then with corrections, then by resemblance.

Each step runs only when the one before has found nothing, so that exact searches stay fast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
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
from backend.book.search.spelling import Alternative
from backend.shared.models import Book

# Word similarity of a title that resembles the text but does not have its words.
_MIN_SIMILARITY = 0.45
_MAX_SIMILAR = 30
_ANALYZE = text("""
    SELECT given.word, plainto_tsquery('simple', given.word)::text, coalesce(known.books, 0)
    FROM regexp_split_to_table(words_of(:given), ' ') WITH ORDINALITY AS given (word, position)
    LEFT JOIN search_words AS known ON known.word = given.word
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
    if exact or _any(connection, found.condition):
        return found
    return _corrected(connection, found, words, restrictions)


def _corrected(
    connection: Connection,
    found: Matches,
    words: Sequence[_Word],
    restrictions: list[ColumnElement[bool]],
) -> Matches:
    known = {word.text: word.books for word in words}
    words = _with_new_words(connection, words)
    alternatives = spelling.alternatives(connection, [word.text for word in words], known)
    groups = [
        _group(word, alternatives.get(word.text, ()), is_last=word is words[-1]) for word in words
    ]
    loose = _ts_query([group for group in groups if group])
    found.corrected = _best_text(words, alternatives)
    found.phrases = spelling.phrases([word.text for word in words], alternatives)
    condition = and_(_matches(loose), *restrictions)
    if _any(connection, condition):
        found.condition, found.ts_query = condition, loose
    elif any(not word.books for word in words):
        similar = _similar(connection, found)
        found.condition = and_(Book.id.in_(similar), *restrictions)
        found.ts_query = loose
    if found.corrected != found.text:
        found.did_you_mean = found.corrected
    found.words += [part for many in alternatives.values() for one in many for part in one.words]
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


def _group(word: _Word, alternatives: Sequence[Alternative], *, is_last: bool) -> str:
    """Return the word or what it may stand for; "" drops a word that stands for nothing."""
    own = [_exactly(word, is_last=is_last)] if word.books or is_last else []
    others = ["(" + " & ".join(_quote(part) for part in one.words) + ")" for one in alternatives]
    return f"({' | '.join([*own, *others])})" if own or others else ""


def _best_text(words: Sequence[_Word], alternatives: Mapping[str, Sequence[Alternative]]) -> str:
    """Return the text with each unknown word replaced by its best alternative."""
    best = (
        " ".join(alternatives[word.text][0].words)
        if not word.books and alternatives.get(word.text)
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
    one = select(Book.id).where(condition, Book.withdrawn_at.is_(None)).limit(1)
    return connection.execute(one).first() is not None


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
