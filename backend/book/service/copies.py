"""Copies of a title: add, change, withdraw."""

from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.book.schemas.copies import CopyCreate, CopyUpdate
from backend.book.service import barcodes
from backend.book.service.books import apply_changes, record_change, refuse_in_use
from backend.shared.errors import Duplicate, invalid
from backend.shared.models import (
    Book,
    Condition,
    Copy,
    Waypoint,
    WaypointKind,
)


def add_copy(session: Session, actor_id: UUID, book: Book, given: CopyCreate) -> Copy:
    """One more copy of a title; Duplicate when the barcode is on another copy."""
    values = given.model_dump()
    _check_home(session, given.home_workstation_id)
    values["barcode"] = given.barcode or barcodes.new(session, 1)[0]
    copy = Copy(book_id=book.id, **values)
    session.add(copy)
    _flush_copy(session, copy)
    after = {"barcode": copy.barcode, **given.model_dump(mode="json", exclude_unset=True)}
    record_change(session, actor_id, "copy.create", copy, {"after": after})
    return copy


def update_copy(session: Session, actor_id: UUID, copy: Copy, given: CopyUpdate) -> Copy:
    """Change what people decide about a copy. To withdraw it, it must be on its shelf."""
    _check_home(session, given.home_workstation_id)
    if given.condition is Condition.WITHDRAWN and copy.condition is not Condition.WITHDRAWN:
        refuse_in_use(copy)
    changes = apply_changes(copy, given.model_dump(exclude_unset=True))
    if changes:
        _flush_copy(session, copy)
        record_change(session, actor_id, "copy.update", copy, changes)
    return copy


def withdraw_copy(session: Session, actor_id: UUID, copy: Copy) -> None:
    """Take a copy out of use for good; BookInUse while it is out, reserved or travelling."""
    update_copy(session, actor_id, copy, CopyUpdate(condition=Condition.WITHDRAWN))


def _flush_copy(session: Session, copy: Copy) -> None:
    barcode = copy.barcode
    try:
        session.flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            message = f"Barcode {barcode} is on another copy."
            raise Duplicate(message, barcode=barcode) from error
        raise


def _check_home(session: Session, waypoint_id: UUID | None) -> None:
    if waypoint_id is None:
        return
    waypoint = session.get(Waypoint, waypoint_id)
    if waypoint is None or waypoint.kind is not WaypointKind.WORKSTATION:
        raise invalid("home_workstation_id", "must be the id of a workstation")
