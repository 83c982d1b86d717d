"""Deliveries that staff create: to a colleague, to a workstation or to another section."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.delivery.schemas.deliveries import StaffDelivery
from backend.delivery.service import tasks
from backend.shared.domain import audit, route_graph, task_effects
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import custody
from backend.shared.domain.circulation.custody import CustodyTransition
from backend.shared.domain.circulation.free_copies import ReservedCopy
from backend.shared.errors import BookNotAvailable, NotFound, invalid
from backend.shared.events import TaskQueued
from backend.shared.infra import database
from backend.shared.models import (
    Book,
    Condition,
    Copy,
    Custody,
    DeliveryTask,
    TaskType,
    User,
)

_AVAILABLE = frozenset({Custody.ON_SHELF, Custody.AT_DESK})


def create(session: Session, actor: Actor, kind: TaskType, body: StaffDelivery) -> DeliveryTask:
    """Reserve a copy and create the task that moves it."""
    places = route_graph.current(session)
    source = places.find(body.source_location)
    destination = places.find(body.destination_location)
    if source.id == destination.id:
        raise invalid("destination_location", "is the same place as source_location")
    if body.recipient_id is not None and session.get(User, body.recipient_id) is None:
        raise invalid("recipient_id", "is not a known user")
    if body.to_shelf is not None and kind is not TaskType.TRANSFER:
        raise invalid("to_shelf", "only a transfer changes the shelf")
    copy = _reserve_copy(session, body, custody.CustodyContext(str(actor.id)))
    task = tasks.create(
        session, kind, copy, source, destination, actor, recipient_id=body.recipient_id
    )
    task.priority = body.priority
    details = {"notes": body.notes, "to_shelf": body.to_shelf}
    task.details = {name: value for name, value in details.items() if value}
    session.flush()
    audit.record(
        session,
        actor_id=actor.id,
        action="delivery.create",
        resource=("delivery", task.id),
        changes={"reference": task.reference, "task_type": kind.value},
    )
    task_effects.publish_task_event(session, task, TaskQueued)
    return task


def _reserve_copy(
    session: Session, body: StaffDelivery, context: custody.CustodyContext
) -> Copy | ReservedCopy:
    """Reserve the copy with this barcode, or any free copy of the title."""
    if (body.book_id is None) == (body.copy_barcode is None):
        raise invalid("copy_barcode", "give either book_id or copy_barcode")
    if body.book_id is not None:
        if session.get(Book, body.book_id) is None:
            raise NotFound("Book not found.")
        return custody.reserve_any(session, body.book_id, context)
    copy_id = session.execute(
        select(Copy.id).where(Copy.barcode == body.copy_barcode)
    ).scalar_one_or_none()
    if copy_id is None:
        raise NotFound("Copy with this barcode not found.")
    copy = database.row_lock(session, Copy, copy_id)
    if copy.custody not in _AVAILABLE or copy.condition is not Condition.OK:
        raise BookNotAvailable("This copy is not available.", custody=copy.custody.value)
    return custody.move(session, copy.id, CustodyTransition.RESERVE, context)
