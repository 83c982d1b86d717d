"""Rules of copies: create, update, shelve, withdraw."""

from uuid import UUID

from sqlalchemy.orm import Session

from backend.book.schemas.copies import CopyCreate, CopyUpdate
from backend.book.service import barcodes, changes
from backend.shared.domain.circulation import custody
from backend.shared.domain.circulation.custody import CustodyContext
from backend.shared.errors import BookInUse, Duplicate, invalid
from backend.shared.models import Book, Condition, Copy, Custody, Waypoint, WaypointKind

# Where a copy may be withdrawn: nobody is waiting for it, and staff can take it.
WITHDRAWABLE = frozenset({Custody.ON_SHELF, Custody.AT_DESK})


def create(session: Session, actor_id: UUID, book: Book, body: CopyCreate) -> Copy:
    """Add a copy to a title; Duplicate when another copy has the barcode."""
    _check_home(session, body.home_workstation_id)
    barcode = body.barcode or barcodes.generate(session, 1)[0]
    copy = Copy(book_id=book.id, **{**body.model_dump(), "barcode": barcode})
    session.add(copy)
    _flush(session, copy)
    custody.offer(session, copy, CustodyContext(str(actor_id)))
    after = {"barcode": barcode, **body.model_dump(mode="json", exclude_unset=True)}
    changes.record(session, actor_id, "copy.create", copy, {"after": after})
    return copy


def update(session: Session, actor_id: UUID, copy: Copy, body: CopyUpdate) -> Copy:
    """Change the given fields; only a copy on its shelf or at a desk can be withdrawn."""
    _check_home(session, body.home_workstation_id)
    withdraws = Condition.WITHDRAWN is body.condition is not copy.condition
    if withdraws and copy.custody not in WITHDRAWABLE:
        raise BookInUse(custody=copy.custody.value)
    before = custody.state_of(copy)
    changed = changes.apply(copy, body.model_dump(exclude_unset=True))
    if changed:
        _flush(session, copy)
        custody.record(session, copy, before, CustodyContext(str(actor_id)))
        changes.record(session, actor_id, "copy.update", copy, changed)
    return copy


def shelve(session: Session, actor_id: UUID, copy: Copy, shelf: str | None) -> Copy:
    """Put a copy that is at a desk, or was missing, on its shelf or another one."""
    was = {"custody": copy.custody.value, "shelf_location": copy.shelf_location}
    if custody.shelve(session, copy, shelf, CustodyContext(str(actor_id))):
        after = {"custody": copy.custody.value, "shelf_location": copy.shelf_location}
        changed = {name: {"before": was[name], "after": after[name]} for name in was}
        changes.record(session, actor_id, "copy.shelve", copy, changed)
    return copy


def withdraw(session: Session, actor_id: UUID, copy: Copy) -> None:
    """Withdraw a copy; BookInUse while it is out, reserved or in transit."""
    update(session, actor_id, copy, CopyUpdate(condition=Condition.WITHDRAWN))


def _flush(session: Session, copy: Copy) -> None:
    message = f"Barcode {copy.barcode} belongs to another copy."
    changes.flush(session, Duplicate(message, barcode=copy.barcode))


def _check_home(session: Session, waypoint_id: UUID | None) -> None:
    if waypoint_id is None:
        return
    waypoint = session.get(Waypoint, waypoint_id)
    if waypoint is None or waypoint.kind is not WaypointKind.WORKSTATION:
        raise invalid("home_workstation_id", "must be the id of a workstation")
