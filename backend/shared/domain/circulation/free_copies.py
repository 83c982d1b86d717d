"""Reserve a free copy of a title in one statement; only `custody` calls this."""

from typing import Any, NamedTuple, Self
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from backend.shared.infra import clock
from backend.shared.models import Condition, Copy, Custody, table

_COPIES = table(Copy)
_FREE = (
    select(_COPIES.c.id)
    .where(
        _COPIES.c.book_id == bindparam("of_book"),
        _COPIES.c.custody == Custody.ON_SHELF,
        _COPIES.c.condition == Condition.OK,
        _COPIES.c.robot_transportable,
    )
    .order_by(_COPIES.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_RESERVE = (
    update(_COPIES)
    .where(_COPIES.c.id == _FREE.scalar_subquery())
    .values(
        custody=Custody.RESERVED,
        last_seen_at=bindparam("now"),
        updated_at=bindparam("now"),
        version=_COPIES.c.version + 1,
    )
    .returning(
        _COPIES.c.id, _COPIES.c.book_id, _COPIES.c.shelf_location, _COPIES.c.home_workstation_id
    )
)


class ReservedCopy(NamedTuple):
    """A copy that is reserved for a robot, and where it comes from."""

    id: UUID
    book_id: UUID
    shelf_location: str | None
    home_workstation_id: UUID | None

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(row.id, row.book_id, row.shelf_location, row.home_workstation_id)


def reserve(session: Session, book_id: UUID) -> ReservedCopy | None:
    """Reserve a copy that is on the shelf, can be lent and carried, and is not locked."""
    session.flush()
    values = {"of_book": book_id, "now": clock.now()}
    row = session.execute(_RESERVE, values).one_or_none()
    return None if row is None else ReservedCopy.of(row)
