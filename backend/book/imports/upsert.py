"""Insert or update the titles of an import batch with few statements.

Two titles are the same when ISBN and title agree; without an ISBN, when title, author, year and
publisher all do. An ISBN whose title is another one is no evidence. Of several rows of a file about
one title the first takes precedence, and the others fill in what it lacks: so a repeated import
changes nothing.
"""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, cast, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from backend.book.imports.row_issues import IssueCode, RowIssue, warning
from backend.book.schemas.imports import ImportedBook
from backend.book.service import barcodes
from backend.shared.infra import cache, clock, commit_hooks, database, ids
from backend.shared.models import Book, Condition, Copy, Custody, ImportTitle

_FIELDS = tuple(name for name in ImportedBook.model_fields if name != "copies")
_MIN_SIMILARITY = 0.6  # two titles of one ISBN less similar than this get a warning
_NUMBERS = re.compile(r"\d+")
_LOCK_IMPORTS = text("SELECT pg_advisory_xact_lock(hashtext('catalog.import'))")
# Plans of foreign keys and triggers that were chosen for a small catalogue read whole tables, for
# each row of a large import, until PostgreSQL's next ANALYZE.
_FORGET_PLANS = text("DISCARD PLANS")


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
    version: int = 0
    before: dict[str, Any] | None = None  # of a title that the import changes
    copies: int = 0  # to create; existing titles keep theirs
    is_new: bool = False
    is_changed: bool = False
    first_row: int = 0  # the first row of the file about this title
    is_remembered: bool = False  # an earlier batch of the job was about it


def upsert_books(
    session: Session, job_id: UUID | None, rows: Sequence[tuple[int, ImportedBook]]
) -> Outcome:
    """Create or update the title of each (row, title); without a job (a dry run) write nothing.

    An empty value leaves the existing one. Concurrent imports wait for each other here, so that
    two imports of one file create no title twice.
    """
    session.execute(_LOCK_IMPORTS)
    session.execute(_FORGET_PLANS)
    known = _known_titles(session, [book for _, book in rows])
    _mark_earlier_rows(session, job_id, known)
    outcome = Outcome()
    for row, book in rows:
        _merge(known, row, book, outcome)
    if job_id is not None:
        titles = list({title.id: title for title in known.values()}.values())
        _write(session, titles)
        _remember(session, job_id, titles)
    return outcome


def _mark_earlier_rows(
    session: Session, job_id: UUID | None, known: dict[Hashable, _PendingTitle]
) -> None:
    """Mark the titles that earlier batches of the job were about."""
    seen = select(ImportTitle.book_id, ImportTitle.row).where(
        ImportTitle.job_id == job_id, ImportTitle.book_id.in_([each.id for each in known.values()])
    )
    rows = {each.book_id: each.row for each in session.execute(seen)} if job_id else {}
    for title in known.values():
        title.first_row = rows.get(title.id, 0)
        title.is_remembered = title.id in rows


def _remember(session: Session, job_id: UUID, titles: Sequence[_PendingTitle]) -> None:
    """Store which titles the job is about, and what an undo restores."""
    new = [
        {
            "job_id": job_id,
            "book_id": title.id,
            "row": title.first_row,
            "is_created": title.is_new,
            "before": title.before if title.is_changed else None,
            "version": title.version + title.is_changed if not title.is_new else 1,
        }
        for title in titles
        if title.first_row and not title.is_remembered
    ]
    if new:
        session.connection().execute(insert(ImportTitle), new)
    for title in titles:
        if title.is_remembered and title.is_changed:
            session.execute(
                update(ImportTitle)
                .where(ImportTitle.job_id == job_id, ImportTitle.book_id == title.id)
                .values(
                    version=title.version + 1,
                    before=func.coalesce(ImportTitle.before, cast(title.before, JSONB)),
                )
            )


def _text_identity(values: dict[str, Any]) -> Hashable:
    return (
        values["title"],
        values["author"],
        values["publication_year"],
        values["publisher"] or None,
    )


def _identity(values: dict[str, Any]) -> Hashable:
    return str(values["isbn"]) if values["isbn"] else _text_identity(values)


def _known_titles(session: Session, books: Sequence[ImportedBook]) -> dict[Hashable, _PendingTitle]:
    """Return the catalogue titles that these may be the same as, locked."""
    numbers = [book.isbn for book in books if book.isbn]
    titles = [book.title.lower() for book in books]
    same_title = Book.isbn.is_(None) & func.lower(Book.title).in_(titles)
    found = session.execute(
        select(Book.id, Book.version, *(Book.__table__.c[name] for name in _FIELDS))
        .where(Book.withdrawn_at.is_(None), or_(Book.isbn.in_(numbers), same_title))
        .order_by(Book.id)
        .with_for_update()
    ).mappings()
    known: dict[Hashable, _PendingTitle] = {}
    for row in found:
        values = {name: row[name] for name in _FIELDS}
        known.setdefault(_identity(values), _PendingTitle(row["id"], values, row["version"]))
    return known


def _merge(
    known: dict[Hashable, _PendingTitle], row: int, book: ImportedBook, outcome: Outcome
) -> None:
    """Merge one row into the titles of the batch."""
    values = book.model_dump(mode="json", exclude={"copies"})
    title = known.get(_identity(values))
    if title is not None and values["isbn"] and not _are_similar(title.values["title"], book.title):
        message = (
            f"This ISBN belongs to “{title.values['title']}”: it is kept as another identifier."
        )
        outcome.issues.append(warning(row, IssueCode.TITLE_DIFFERS, message, "title", book.title))
        _demote_isbn(values)
        title = known.get(_identity(values))
    if title is None:
        title = _PendingTitle(ids.uuid7(), values, copies=book.copies, is_new=True, first_row=row)
        known[_identity(values)] = title
        outcome.created += 1
        return
    if title.first_row:
        message = f"Same book as in row {title.first_row}, which takes precedence."
        outcome.issues.append(warning(row, IssueCode.DUPLICATE_ROW, message, "title", book.title))
    changed = {
        name: value
        for name, value in values.items()
        if value and value != title.values[name] and not (title.first_row and title.values[name])
    }
    title.first_row = title.first_row or row
    if not changed:
        outcome.unchanged += 1
        return
    title.before = {**{name: title.values[name] for name in changed}, **(title.before or {})}
    title.values.update(changed)
    title.is_changed = not title.is_new
    outcome.updated += 1


def _demote_isbn(values: dict[str, Any]) -> None:
    others = values["other_identifiers"]
    others["ISBN"] = list(dict.fromkeys([*others.get("ISBN", []), values["isbn"]]))
    values["isbn"] = None


def _are_similar(one: str, other: str) -> bool:
    """Compare two titles; one of them may lack a subtitle. Numbers are those of volumes."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    if long.startswith(short):
        return True
    if _NUMBERS.findall(short) != _NUMBERS.findall(long):
        return False
    return SequenceMatcher(None, short, long).ratio() >= _MIN_SIMILARITY


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
    books = [{**title.values, "id": title.id, "version": 1, **timestamps} for title in titles]
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
