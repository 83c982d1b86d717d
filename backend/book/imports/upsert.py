"""Titles of an import into the catalogue, a batch at a time, in few statements.

A title is known again by its ISBN; one without an ISBN only by title, author, year and publisher
all being the same. A title alone never makes two books one.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from backend.book.imports.row_issues import Code, RowIssue, warning
from backend.book.schemas.books import BookCreate
from backend.book.service import barcodes
from backend.shared.infra import cache, clock, commit_hooks, database, ids
from backend.shared.models import Book, Condition, Copy, Custody

_FIELDS = tuple(name for name in BookCreate.model_fields if name != "copies")
_SAME_TITLE = 0.6  # how alike two titles of one ISBN are, before someone should look
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('catalog.import'))")


@dataclass
class Outcome:
    """What became of the rows of a batch."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    remarks: list[RowIssue] = field(default_factory=list)


@dataclass
class _Title:
    """A title while a batch is worked out: as it is to be at the end."""

    id: UUID
    values: dict[str, Any]
    copies: int = 0  # to be made; known titles keep those they have
    is_new: bool = False
    is_changed: bool = False
    last_row: int = 0


def load(
    session: Session, rows: Sequence[tuple[int, BookCreate]], *, dry_run: bool = False
) -> Outcome:
    """Create or update the title of each (row, title); with `dry_run` only tell what would be.

    A value that a row leaves out stays as it is. Imports wait for one another here, so that two
    of the same file at once make no title twice.
    """
    session.execute(_ONE_AT_A_TIME)
    known = _known_titles(session, [book for _, book in rows])
    outcome = Outcome()
    for row, book in rows:
        _plan_row(known, row, book, outcome)
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


def _known_titles(session: Session, books: Sequence[BookCreate]) -> dict[Hashable, _Title]:
    """The titles of the catalogue that some of these may be, locked."""
    numbers = [book.isbn for book in books if book.isbn]
    titles = [book.title.lower() for book in books if not book.isbn]
    same_words = Book.isbn.is_(None) & func.lower(Book.title).in_(titles)
    columns: tuple[Any, ...] = (Book.id, *(getattr(Book, name) for name in _FIELDS))
    found: Sequence[Row[Any]] = session.execute(
        select(*columns)
        .where(Book.withdrawn_at.is_(None), or_(Book.isbn.in_(numbers), same_words))
        .order_by(Book.id)
        .with_for_update()
    ).all()
    known: dict[Hashable, _Title] = {}
    for row in found:
        values = {name: getattr(row, name) for name in _FIELDS}
        known.setdefault(_identity(values), _Title(row.id, values))
    return known


def _plan_row(known: dict[Hashable, _Title], row: int, book: BookCreate, outcome: Outcome) -> None:
    """Decide what one row does to the batch's titles."""
    values = book.model_dump(exclude={"copies"})
    identity = _identity(values)
    title = known.get(identity)
    if title is None:
        known[identity] = _Title(ids.uuid7(), values, book.copies, is_new=True, last_row=row)
        outcome.created += 1
        return
    if title.last_row:
        message = f"The same book stands in row {title.last_row}; what differs here counts."
        outcome.remarks.append(warning(row, Code.DUPLICATE_ROW, message, "title", book.title))
    title.last_row = row
    changed = {
        name: value for name, value in values.items() if value and value != title.values[name]
    }
    if not changed:
        outcome.unchanged += 1
        return
    if "title" in changed and not _alike(title.values["title"], book.title):
        message = f"This ISBN was that of “{title.values['title']}”."
        outcome.remarks.append(warning(row, Code.TITLE_DIFFERS, message, "title", book.title))
    title.values.update(changed)
    title.is_changed = not title.is_new
    outcome.updated += 1


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= _SAME_TITLE


def _write(session: Session, titles: Sequence[_Title]) -> None:
    new = [title for title in titles if title.is_new]
    changed = [title for title in titles if title.is_changed]
    if new:
        _insert(session, new)
    if changed:
        _update(session, changed)
    if new or changed:
        database.on_commit(session, commit_hooks.Increment(cache.CATALOGUE_VERSION))


def _insert(session: Session, titles: Sequence[_Title]) -> None:
    now = clock.now()
    moments = {"created_at": now, "updated_at": now}
    books = [
        {**title.values, "id": title.id, "other_identifiers": {}, "version": 1, **moments}
        for title in titles
    ]
    # Not through the ORM: it would part the rows by which of their values are null.
    session.connection().execute(insert(Book), books)
    codes = iter(barcodes.new(session, sum(title.copies for title in titles)))
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
            **moments,
        }
        for title in titles
        for _ in range(title.copies)
    ]
    if copies:
        session.connection().execute(insert(Copy), copies)


def _update(session: Session, titles: Sequence[_Title]) -> None:
    statement = (
        update(Book)
        .where(Book.id == bindparam("its_id"))
        .values(
            {name: bindparam(f"its_{name}") for name in _FIELDS}
            | {"version": Book.version + 1, "updated_at": clock.now()}
        )
    )
    session.connection().execute(
        statement,
        [
            {"its_id": title.id, **{f"its_{name}": title.values[name] for name in _FIELDS}}
            for title in titles
        ],
    )
    for title in titles:
        database.on_commit(session, commit_hooks.Delete(cache.book_key(title.id)))
