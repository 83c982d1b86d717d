"""Rules of requests: a robot brings a copy of a book to a member."""

import secrets
from uuid import UUID

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from backend.delivery.service import handover, tasks
from backend.shared import events
from backend.shared.domain import audit, route_graph, task_effects, workflow
from backend.shared.domain.access import member_for
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import custody, loans
from backend.shared.domain.circulation.free_copies import ReservedCopy
from backend.shared.domain.route_graph import GraphWaypoint, RouteGraph
from backend.shared.domain.transitions import Action
from backend.shared.errors import AlreadyRequested, InvalidStateTransition, NotFound
from backend.shared.infra import database, ids
from backend.shared.messaging import outbox
from backend.shared.models import Book, BookRequest, RequestStatus, TaskStatus, TaskType, table

_OPEN_STATUSES = (RequestStatus.PENDING, RequestStatus.APPROVED, RequestStatus.IN_PROGRESS)
_CODE_DIGITS = 4
_BOOK, _REQUEST = table(Book).c, table(BookRequest).c
_REQUESTED_BOOK = select(_BOOK.title, _BOOK.shelf_location, _BOOK.withdrawn_at).where(
    _BOOK.id == bindparam("book_id")
)
_OPEN_REQUESTS = select(_REQUEST.book_id).where(
    _REQUEST.user_id == bindparam("user_id"), _REQUEST.status.in_(_OPEN_STATUSES)
)
_INSERT = insert(table(BookRequest))


def create(
    session: Session,
    actor: Actor,
    book_id: UUID,
    location: str,
    notes: str | None,
    user_id: UUID | None,
) -> UUID:
    """Reserve a copy for a member and create the task that brings it; return the request's id."""
    member = member_for(session, actor, user_id)
    places = route_graph.current(session)
    place = places.find(location)
    book = session.execute(_REQUESTED_BOOK, {"book_id": book_id}).one_or_none()
    if book is None or book.withdrawn_at is not None:
        raise NotFound("Book not found.")
    _check_limits(session, member, book_id)
    copy = custody.reserve_for(session, member, book_id, custody.CustodyContext(str(actor.id)))
    request_id = _insert(session, member, copy, place, notes)
    source = _loading_place(places, copy, book.shelf_location)
    task_id = tasks.insert_task(
        session, TaskType.STUDENT_DELIVERY, copy, source, place, actor, request_id=request_id
    )
    created = events.RequestCreated(
        request_id=request_id,
        task_id=task_id,
        user_id=member,
        book_id=book_id,
        book_title=book.title,
        location=place.name,
        status=RequestStatus.PENDING,
    )
    outbox.publish(session, created)
    return request_id


def _check_limits(session: Session, member: UUID, book_id: UUID) -> None:
    """Lock the member, so that concurrent calls are checked one after the other."""
    role = loans.lock_member(session, member)
    requested = session.execute(_OPEN_REQUESTS, {"user_id": member}).scalars().all()
    loans.check_loan_limit(session, member, role, len(requested))
    if book_id in requested:
        raise AlreadyRequested(book_id=book_id)


def _insert(
    session: Session, member: UUID, copy: ReservedCopy, place: GraphWaypoint, notes: str | None
) -> UUID:
    request_id = ids.uuid7()
    values = {
        "id": request_id,
        "user_id": member,
        "book_id": copy.book_id,
        "copy_id": copy.id,
        "request_location": place.name,
        "waypoint_id": place.id,
        "notes": notes,
        "handover_code": f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}",
    }
    session.execute(_INSERT, values)
    return request_id


def _loading_place(places: RouteGraph, copy: ReservedCopy, shelf: str | None) -> GraphWaypoint:
    if copy.home_workstation_id is not None and copy.home_workstation_id in places.waypoints:
        return places.waypoints[copy.home_workstation_id]
    return places.workstation_for(copy.shelf_location or shelf)


def cancel(session: Session, request_id: UUID, actor: Actor, reason: str | None) -> None:
    """Cancel a request until the book is handed over; a loaded robot brings the book back."""
    task = tasks.lock_for(session, request=request_id)
    request = database.row_lock(session, BookRequest, request_id)
    if request.status is RequestStatus.CANCELLED:
        return
    if request.status is RequestStatus.COMPLETED:
        raise InvalidStateTransition(current=request.status.value, requested="CANCEL", allowed=[])
    context = tasks.context_of(actor, reason or tasks.CANCELLED_BY_MEMBER)
    if task.status is TaskStatus.FAILED:  # the task stays failed until staff say where the book is
        effect = task_effects.Effect(request=RequestStatus.CANCELLED)
        task_effects.apply_effect(session, task, effect, context.by, context.reason)
    else:
        tasks.cancel_or_bring_back(session, task, context)


def complete(
    session: Session, request_id: UUID, actor: Actor, code: str | None, reason: str | None
) -> None:
    """Record the hand-over; staff need the member's code or a reason, which is audited."""
    by_staff = session.get_one(BookRequest, request_id).user_id != actor.id
    if by_staff:
        handover.require_code_or_reason(code, reason)
        if code is not None:
            handover.spend_code_try(request_id, code)
    task = tasks.lock_for(session, request=request_id)
    request = database.row_lock(session, BookRequest, request_id)
    if request.status is RequestStatus.COMPLETED:
        return
    if by_staff:
        audit.record(
            session,
            actor_id=actor.id,
            action="request.complete_for_member",
            resource=("request", request.id),
            changes={"with_code": code is not None, "reason": reason},
        )
    workflow.apply(session, task, Action.COMPLETE, tasks.context_of(actor, reason))
