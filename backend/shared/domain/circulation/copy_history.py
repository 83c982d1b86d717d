"""The history of copies: one entry for each change of custody or condition."""

from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from backend.shared.models import Condition, Copy, CopyHistory, Custody, Waypoint, table

State = tuple[Custody, Condition]
_INSERT = insert(table(CopyHistory))


def record(session: Session, copy: Copy, before: State, by: str, task_id: UUID | None) -> None:
    """Record a change of a copy, with the place where it is now."""
    waypoint = session.get(Waypoint, copy.waypoint_id) if copy.waypoint_id else None
    shelf = copy.shelf_location if copy.custody is Custody.ON_SHELF else None
    place = waypoint.name if waypoint is not None else shelf
    after = copy.custody, copy.condition
    insert_entry(session, copy.id, (before, after), by, task_id, place)


def insert_entry(
    session: Session,
    copy_id: UUID,
    change: tuple[State, State],
    by: str,
    task_id: UUID | None,
    place: str | None = None,
) -> None:
    """Insert an entry; `by` is a user's id or the component that acted."""
    before, after = change
    entry = {
        "copy_id": copy_id,
        "from_custody": before[0],
        "to_custody": after[0],
        "from_condition": before[1],
        "to_condition": after[1],
        "place": place,
        "task_id": task_id,
        "changed_by": by,
    }
    session.execute(_INSERT, entry)
