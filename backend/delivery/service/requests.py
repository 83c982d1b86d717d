"""Asking for a book: the rules of requests."""

import secrets
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.delivery.service import tasks
from backend.delivery.service.on_behalf_of import member_for
from backend.shared import events
from backend.shared.domain import audit, custody, route_graph, task_effects, workflow
from backend.shared.domain.actor import Actor
from backend.shared.domain.route_graph import Place
from backend.shared.domain.workflow import Action, TransitionContext
from backend.shared.errors import AlreadyRequested, InvalidStateTransition, NotFound, invalid
from backend.shared.infra import database
from backend.shared.models import Book, BookRequest, Copy, RequestStatus, TaskStatus, TaskType, User

_OPEN_REQUEST = (RequestStatus.PENDING, RequestStatus.APPROVED, RequestStatus.IN_PROGRESS)
_CODE_DIGITS = 4


def _book(session: Session, book_id: UUID) -> Book:
    book = session.get(Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound("There is no such book.")
    return book


def create(
    session: Session,
    actor: Actor,
    book_id: UUID,
    location: str,
    notes: str | None,
    user_id: UUID | None,
) -> BookRequest:
    """Reserve a copy for a member and make the journey that brings it, in one transaction."""
    member = member_for(session, actor, user_id)
    place = route_graph.current(session).find(location)
    book = _book(session, book_id)
    under_way = _open_requests(session, member)
    custody.check_loan_limit(session, member, len(under_way))
    if book_id in under_way:
        raise AlreadyRequested(book_id=book_id)
    copy = custody.reserve_any(session, book_id)
    request = BookRequest(
        user_id=member,
        book_id=book_id,
        copy_id=copy.id,
        request_location=place.name,
        waypoint_id=place.id,
        notes=notes,
        handover_code=f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}",
    )
    session.add(request)
    session.flush()
    task = tasks.make_task(
        session,
        TaskType.STUDENT_DELIVERY,
        copy,
        _loading_place(session, copy, book),
        place,
        actor,
        request_id=request.id,
    )
    task_effects.publish_request_event(session, events.RequestCreated, request, task)
    return request


def _open_requests(session: Session, member: UUID) -> list[UUID]:
    """The books that a member has asked for.

    The member is locked, so that two calls at once are judged one after the other.
    """
    database.row_lock(session, User, member)
    found = session.execute(
        select(BookRequest.book_id).where(
            BookRequest.user_id == member, BookRequest.status.in_(_OPEN_REQUEST)
        )
    ).scalars()
    return list(found)


def _loading_place(session: Session, copy: Copy, book: Book) -> Place:
    places = route_graph.current(session)
    if copy.home_workstation_id is not None and copy.home_workstation_id in places.places:
        return places.places[copy.home_workstation_id]
    return places.workstation_for(copy.shelf_location or book.shelf_location)


def cancel(session: Session, request_id: UUID, actor: Actor, reason: str | None) -> None:
    """Cancel until the book has been handed over; a loaded robot brings it back."""
    task = tasks.lock_for(session, request=request_id)
    request: BookRequest = database.row_lock(session, BookRequest, request_id)
    if request.status is RequestStatus.CANCELLED:
        return
    if request.status is RequestStatus.COMPLETED:
        raise InvalidStateTransition(current=request.status.value, requested="CANCEL", allowed=[])
    why = reason or "CANCELLED_BY_MEMBER"
    if task.status is TaskStatus.FAILED:  # staff have still to say where the book is
        task_effects.apply_effect(
            session, task, task_effects.Effect(request=RequestStatus.CANCELLED), why
        )
        return
    tasks.cancel_journey(
        session, task, TransitionContext(by=str(actor.id), user_id=actor.id, reason=why)
    )


def complete(
    session: Session, request_id: UUID, actor: Actor, code: str | None, reason: str | None
) -> None:
    """“I have the book”: by the member; by staff with the member's code, or with a reason."""
    task = tasks.lock_for(session, request=request_id)
    request: BookRequest = database.row_lock(session, BookRequest, request_id)
    if request.status is RequestStatus.COMPLETED:
        return
    if actor.id != request.user_id:
        _prove_handover(session, request, actor, code, reason)
    workflow.apply(
        session,
        task,
        Action.COMPLETE,
        TransitionContext(by=str(actor.id), user_id=actor.id, reason=reason),
    )


def _prove_handover(
    session: Session, request: BookRequest, actor: Actor, code: str | None, reason: str | None
) -> None:
    if code is None and reason is None:
        raise invalid("handover_code", "give the member's code, or a reason")
    if code is not None and not secrets.compare_digest(code, request.handover_code):
        raise invalid("handover_code", "is not the code of this request")
    audit.record(
        session,
        actor_id=actor.id,
        action="request.complete_for_member",
        resource=("request", request.id),
        changes={"with_code": code is not None, "reason": reason},
    )
