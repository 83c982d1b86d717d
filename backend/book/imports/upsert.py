"""Insert or update the titles of an import batch with few statements.

Two titles are the same when their ISBN is; without an ISBN, when title, author, year and publisher
all are.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from backend.book.imports.row_issues import IssueCode, RowIssue, warning
from backend.book.schemas.books import BookCreate
from backend.book.service import barcodes
from backend.shared.infra import cache, clock, commit_hooks, database, ids
from backend.shared.models import Book, Condition, Copy, Custody

_FIELDS = tuple(name for name in BookCreate.model_fields if name != "copies")
_MIN_SIMILARITY = 0.6  # two titles of one ISBN less similar than this get a warning
_LOCK_IMPORTS = text("SELECT pg_advisory_xact_lock(hashtext('catalog.import'))")


@dataclass
class Outcome:
    """Counts and issues of a batch."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    issues: list[RowIssue] = field(default_factory=list)


@dataclass
class _PendingTitle:
    """A title with the values that it gets from the batch."""

    id: UUID
    values: dict[str, Any]
    copies: int = 0  # to create; existing titles keep theirs
    is_new: bool = False
    is_changed: bool = False
    last_row: int = 0


def upsert_books(
    session: Session, rows: Sequence[tuple[int, BookCreate]], *, dry_run: bool = False
) -> Outcome:
    """Create or update the title of each (row, title); with `dry_run` write nothing.

    An empty value leaves the existing one. Concurrent imports wait for each other here, so that
    two imports of one file create no title twice.
    """
    session.execute(_LOCK_IMPORTS)
    known = _known_titles(session, [book for _, book in rows])
    outcome = Outcome()
    for row, book in rows:
        _merge(known, row, book, outcome)
    if not dry_run:
        _write(session, list(known.values()))
    return outcome


def _identity(values: dict[str, Any]) -> Hashable:
    if values["isbn"]:
        return str(values["isbn"])
    return (
        values["title"],
        values["author"],
        values["publication_year"],
        values["publisher"] or None,
    )


def _known_titles(session: Session, books: Sequence[BookCreate]) -> dict[Hashable, _PendingTitle]:
    """Return the catalogue titles that these may be the same as, locked."""
    numbers = [book.isbn for book in books if book.isbn]
    titles = [book.title.lower() for book in books if not book.isbn]
    same_title = Book.isbn.is_(None) & func.lower(Book.title).in_(titles)
    found = session.execute(
        select(Book.id, *(Book.__table__.c[name] for name in _FIELDS))
        .where(Book.withdrawn_at.is_(None), or_(Book.isbn.in_(numbers), same_title))
        .order_by(Book.id)
        .with_for_update()
    ).mappings()
    known: dict[Hashable, _PendingTitle] = {}
    for row in found:
        values = {name: row[name] for name in _FIELDS}
        known.setdefault(_identity(values), _PendingTitle(row["id"], values))
    return known


def _merge(
    known: dict[Hashable, _PendingTitle], row: int, book: BookCreate, outcome: Outcome
) -> None:
    """Merge one row into the titles of the batch."""
    values = book.model_dump(exclude={"copies"})
    identity = _identity(values)
    title = known.get(identity)
    if title is None:
        known[identity] = _PendingTitle(ids.uuid7(), values, book.copies, is_new=True, last_row=row)
        outcome.created += 1
        return
    if title.last_row:
        message = f"Same book as in row {title.last_row}; values of this row take precedence."
        outcome.issues.append(warning(row, IssueCode.DUPLICATE_ROW, message, "title", book.title))
    title.last_row = row
    changed = {
        name: value for name, value in values.items() if value and value != title.values[name]
    }
    if not changed:
        outcome.unchanged += 1
        return
    if "title" in changed and not _are_similar(title.values["title"], book.title):
        message = f"This ISBN belonged to “{title.values['title']}”."
        outcome.issues.append(warning(row, IssueCode.TITLE_DIFFERS, message, "title", book.title))
    title.values.update(changed)
    title.is_changed = not title.is_new
    outcome.updated += 1


def _are_similar(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= _MIN_SIMILARITY


def _write(session: Session, titles: Sequence[_PendingTitle]) -> None:
    new = [title for title in titles if title.is_new]
    changed = [title for title in titles if title.is_changed]
    if new:
        _insert(session, new)
    if changed:
        _update(session, changed)
    if new or changed:
        database.on_commit(session, commit_hooks.Increment(cache.CATALOGUE_VERSION))


def _insert(session: Session, titles: Sequence[_PendingTitle]) -> None:
    now = clock.now()
    timestamps = {"created_at": now, "updated_at": now}
    books = [
        {**title.values, "id": title.id, "other_identifiers": {}, "version": 1, **timestamps}
        for title in titles
    ]
    # Not through the ORM, which would split the rows by which of their values are null.
    session.connection().execute(insert(Book), books)
    codes = iter(barcodes.generate(session, sum(title.copies for title in titles)))
    copies = [
        {
            "id": ids.uuid7(),
            "book_id": title.id,
            "barcode": next(codes),
            "condition": Condition.OK,
            "custody": Custody.ON_SHELF,
            "shelf_location": title.values["shelf_location"],
            "call_number": title.values["call_number"],
            "robot_transportable": True,
            "version": 1,
            **timestamps,
        }
        for title in titles
        for _ in range(title.copies)
    ]
    if copies:
        session.connection().execute(insert(Copy), copies)


def _update(session: Session, titles: Sequence[_PendingTitle]) -> None:
    statement = (
        update(Book)
        .where(Book.id == bindparam("new_id"))
        .values(
            {name: bindparam(f"new_{name}") for name in _FIELDS}
            | {"version": Book.version + 1, "updated_at": clock.now()}
        )
    )
    session.connection().execute(
        statement,
        [
            {"new_id": title.id, **{f"new_{name}": title.values[name] for name in _FIELDS}}
            for title in titles
        ],
    )
    for title in titles:
        database.on_commit(session, commit_hooks.Delete(cache.book_key(title.id)))
