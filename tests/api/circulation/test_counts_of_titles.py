"""The counts and the status of a title follow from its copies, whatever changes them."""

import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from backend.shared.infra import database
from tests.factories import catalogue

_COPIES = text("SELECT id FROM copies ORDER BY id")
_CHANGE = text("""
    UPDATE copies SET custody = :custody, condition = :condition,
        book_id = coalesce(CAST(:book_id AS uuid), book_id)
    WHERE id = ANY(CAST(:ids AS uuid[]))
""")
# What is wrong: titles that state something else than their copies do.
_WRONG = text("""
    SELECT b.id, b.copies_total, b.copies_available, b.status FROM books AS b
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE condition <> 'WITHDRAWN') AS total,
            count(*) FILTER (WHERE condition = 'OK' AND custody = 'ON_SHELF') AS free,
            count(*) FILTER (
                WHERE condition = 'OK' AND custody IN ('RESERVED', 'ON_ROBOT')) AS moving,
            count(*) FILTER (WHERE condition = 'OK' AND custody = 'ON_LOAN') AS lent
        FROM copies WHERE book_id = b.id
    ) AS c
    WHERE (b.copies_total, b.copies_available, b.status) IS DISTINCT FROM (
        c.total, c.free, CASE WHEN c.free > 0 THEN 'AVAILABLE' WHEN c.moving > 0 THEN 'RESERVED'
            WHEN c.lent > 0 THEN 'CHECKED_OUT' ELSE 'UNAVAILABLE' END)
""")
_CUSTODIES = ("ON_SHELF", "ON_SHELF", "RESERVED", "ON_ROBOT", "ON_LOAN")
_CONDITIONS = ("OK", "OK", "OK", "DAMAGED", "WITHDRAWN")


def _change(
    session: Session, draw: random.Random, ids: list[UUID], book_id: UUID | None = None
) -> None:
    values = {
        "custody": draw.choice(_CUSTODIES),
        "condition": draw.choice(_CONDITIONS),
        "book_id": book_id,
        "ids": ids,
    }
    session.execute(_CHANGE, values)


def test_counts_follow_any_change_of_copies(clean: None) -> None:
    draw = random.Random(5)
    books = [catalogue.add_book(f"Title {number}", copies=3) for number in range(2)]
    with database.transaction() as session:
        copies = list(session.execute(_COPIES).scalars())
        for _ in range(150):
            changed = draw.sample(copies, draw.choice((1, 1, 1, 2, 4)))
            _change(session, draw, changed, draw.choice((None, None, None, *books)))
            assert session.execute(_WRONG).all() == []


def test_counts_follow_concurrent_changes(clean: None) -> None:
    catalogue.add_book(copies=4)
    with database.transaction() as session:
        copies = list(session.execute(_COPIES).scalars())

    def change(copy: UUID) -> None:
        draw = random.Random(copy.int)
        for _ in range(25):
            with database.transaction() as session:
                _change(session, draw, [copy])

    with ThreadPoolExecutor() as pool:
        list(pool.map(change, copies))
    with database.transaction() as session:
        assert session.execute(_WRONG).all() == []


def test_change_that_leaves_the_counts_locks_the_title(clean: None, owner: Engine) -> None:
    """The queue of its holds may read whether a copy is free."""
    catalogue.add_book(copies=2)
    with owner.begin() as other, database.transaction() as session:
        copy = session.execute(_COPIES).scalars().first()
        session.execute(text("UPDATE copies SET custody = 'RESERVED' WHERE id = :id"), {"id": copy})
        session.commit()
        session.execute(text("UPDATE copies SET custody = 'ON_ROBOT' WHERE id = :id"), {"id": copy})
        free = text("SELECT id FROM books FOR UPDATE SKIP LOCKED")
        assert other.execute(free).all() == []
