"""Reserve a free copy of a title in one statement; only `custody` calls this."""

from typing import NamedTuple, Self
from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.infra import clock, ids
from backend.shared.infra.database import Prepared
from backend.shared.models import Copy

# With the entry of the copy's history. A copy that another transaction has locked is skipped.
_RESERVE = Prepared(
    "reserve_copy",
    """
    WITH free AS (
        SELECT id FROM copies
        WHERE book_id = :book_id AND custody = 'ON_SHELF' AND condition = 'OK'
            AND robot_transportable
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    ), reserved AS (
        UPDATE copies
        SET custody = 'RESERVED', last_seen_at = :now, updated_at = :now, version = version + 1
        FROM free WHERE copies.id = free.id
        RETURNING copies.id, copies.book_id, copies.shelf_location, copies.home_workstation_id
    ), entry AS (
        INSERT INTO copy_history (id, copy_id, from_custody, to_custody, from_condition,
                                  to_condition, task_id, changed_by, created_at)
        SELECT :entry_id, reserved.id, 'ON_SHELF', 'RESERVED', 'OK', 'OK',
               CAST(:task_id AS uuid), :changed_by, :now
        FROM reserved
    )
    SELECT id, book_id, shelf_location, home_workstation_id FROM reserved
    """,
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
    values = {
        "book_id": book_id,
        "entry_id": ids.uuid7(),
        "task_id": task_id,
        "changed_by": by,
        "now": clock.now(),
    }
    row = _RESERVE.run(session, values).one_or_none()
    return None if row is None else ReservedCopy._make(row)
