"""Reserve a copy of a title in one statement; only `custody` calls this."""

from typing import Any, NamedTuple, Self
from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.errors import BookNotAvailable, Conflict
from backend.shared.infra import clock, ids
from backend.shared.infra.database import Prepared
from backend.shared.infra.hot_transactions import Call, Transaction
from backend.shared.models import Copy


def _reserving(name: str, free: str, custody: str = "ON_SHELF") -> Prepared:
    """Return a statement that reserves the copy that `free` locks, with its history's entry."""
    return Prepared(
        name,
        f"""
    WITH free AS ({free}), reserved AS (
        UPDATE copies
        SET custody = 'RESERVED', last_seen_at = :now, updated_at = :now, version = version + 1
        FROM free WHERE copies.id = free.id
        RETURNING copies.id, copies.book_id, copies.shelf_location, copies.home_workstation_id
    ), entry AS (
        INSERT INTO copy_history (id, copy_id, from_custody, to_custody, from_condition,
                                  to_condition, task_id, changed_by, created_at)
        SELECT :entry_id, reserved.id, '{custody}', 'RESERVED', 'OK', 'OK',
               CAST(:task_id AS uuid), :changed_by, :now
        FROM reserved
    )
    SELECT id, book_id, shelf_location, home_workstation_id FROM reserved
    """,  # noqa: S608 (constants of this module)
    )


_OPEN_HOLD = """holds AS h
    WHERE h.user_id = :member AND h.book_id = :book_id AND h.status IN ('QUEUED', 'READY')"""
_FREE = """
        SELECT id FROM copies
        WHERE book_id = :book_id AND custody = 'ON_SHELF' AND condition = 'OK'
            AND robot_transportable{condition}
        ORDER BY id LIMIT 1 FOR UPDATE{skip}"""
_RESERVE = _reserving("reserve_copy", _FREE.format(condition="", skip=" SKIP LOCKED"))
_RESERVE_WITHOUT_HOLD = _reserving(
    "reserve_copy_without_hold",
    _FREE.format(condition=f" AND NOT EXISTS (SELECT FROM {_OPEN_HOLD})", skip=" SKIP LOCKED"),
)
_WAIT_AND_RESERVE = _reserving("wait_and_reserve_copy", _FREE.format(condition="", skip=""))
_RESERVE_KEPT = _reserving(
    "reserve_kept_copy",
    """
        SELECT id FROM copies
        WHERE id = :copy_id AND custody = 'ON_HOLD_SHELF' AND condition = 'OK'
        FOR UPDATE""",
    "ON_HOLD_SHELF",
)
_LOCK_HOLD = Prepared("lock_open_hold", f"SELECT FROM {_OPEN_HOLD} FOR UPDATE")
# After the lock: of a row that another transaction has changed, a join would show the copy that it
# had before.
_KEPT = Prepared(
    "kept_copy",
    f"""
    SELECT h.copy_id,
        (SELECT robot_transportable FROM copies WHERE id = h.copy_id) AS can_be_carried
    FROM {_OPEN_HOLD}
    """,  # noqa: S608 (constants of this module)
)


class ReservedCopy(NamedTuple):
    """A copy that is reserved for a robot, and where it comes from."""

    id: UUID
    book_id: UUID
    shelf_location: str | None
    home_workstation_id: UUID | None

    @classmethod
    def of(cls, copy: Copy) -> Self:
        return cls(copy.id, copy.book_id, copy.shelf_location, copy.home_workstation_id)


def reserve(session: Session, book_id: UUID, by: str, task_id: UUID | None) -> ReservedCopy | None:
    """Reserve a copy that is on the shelf, can be lent and carried, and is not locked.

    `by` is a user's id or the component that acts, for the copy's history.
    """
    session.flush()
    row = _RESERVE.run(session, _values(by, task_id, book_id=book_id)).one_or_none()
    return None if row is None else ReservedCopy._make(row)


def reserving_without_hold(member: UUID, book_id: UUID, by: str) -> Call:
    """Return the statement that does so for a member who has no hold on the title."""
    return _RESERVE_WITHOUT_HOLD, _values(by, None, book_id=book_id, member=member)


async def reserve_kept_or_free(
    transaction: Transaction, member: UUID, book_id: UUID, by: str, *, has_hold: bool
) -> ReservedCopy:
    """Reserve the copy that is kept for a member's hold, or any available one."""
    kept, can_be_carried = None, False
    if has_hold:
        kept, can_be_carried = await _kept_copy(transaction, member, book_id)
    if kept is None:
        copy = await _reserve_free(transaction, book_id, by)
        if copy is None:
            raise BookNotAvailable(book_id=book_id)
        return copy
    if not can_be_carried:
        raise BookNotAvailable(
            "A robot cannot carry the copy that is kept for you. Fetch it at the desk.",
            book_id=book_id,
        )
    copy = await _reserve_kept(transaction, kept, by)
    if copy is None:
        raise Conflict("The copy that is kept for the member has just been moved.")
    return copy


async def _reserve_free(transaction: Transaction, book_id: UUID, by: str) -> ReservedCopy | None:
    """Reserve a copy; when all free copies are locked, wait for one: its transaction may fail."""
    values = _values(by, None, book_id=book_id)
    for statement in (_RESERVE, _WAIT_AND_RESERVE):
        rows = await transaction.run((statement, values))
        if rows:
            return ReservedCopy._make(rows[0])
    return None


async def _kept_copy(
    transaction: Transaction, member: UUID, book_id: UUID
) -> tuple[UUID | None, bool]:
    """Return the copy that is kept for a member's hold, and whether a robot can carry it.

    Locks the hold. The copy is None while the hold waits for one.
    """
    values = {"member": member, "book_id": book_id}
    rows = await transaction.run((_LOCK_HOLD, values), (_KEPT, values))
    return (rows[0].copy_id, bool(rows[0].can_be_carried)) if rows else (None, False)


async def _reserve_kept(transaction: Transaction, copy_id: UUID, by: str) -> ReservedCopy | None:
    """Reserve a copy that is kept for a hold; None if it is not."""
    rows = await transaction.run((_RESERVE_KEPT, _values(by, None, copy_id=copy_id)))
    return ReservedCopy._make(rows[0]) if rows else None


def _values(by: str, task_id: UUID | None, **wanted: UUID) -> dict[str, Any]:
    return {
        **wanted,
        "entry_id": ids.uuid7(),
        "task_id": task_id,
        "changed_by": by,
        "now": clock.now(),
    }
