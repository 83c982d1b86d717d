"""Rules of requests: a robot brings a copy of a book to a member."""

import secrets
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from backend.delivery import queries
from backend.delivery.service import handover, tasks
from backend.shared import events
from backend.shared.domain import access, audit, route_graph, task_effects, workflow
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import custody, loan_policies
from backend.shared.domain.circulation.free_copies import ReservedCopy
from backend.shared.domain.route_graph import GraphWaypoint, RouteGraph
from backend.shared.domain.transitions import Action
from backend.shared.errors import (
    AlreadyRequested,
    InvalidStateTransition,
    LoanLimitReached,
    NotFound,
)
from backend.shared.infra import clock, database, ids
from backend.shared.infra.database import Prepared
from backend.shared.infra.hot_transactions import Transaction
from backend.shared.messaging import outbox
from backend.shared.models import BookRequest, CopyKind, RequestStatus, TaskStatus

_CODE_DIGITS = 4
# Concurrent requests for a member are counted one after the other. Of rows that reference the
# member only the deletion would have to wait.
_LOCK_MEMBER = Prepared("lock_member", "SELECT FROM users WHERE id = :member FOR NO KEY UPDATE")
_FACTS = Prepared(
    "facts_of_new_request",
    """
    SELECT u.is_active, b.title, b.shelf_location, b.withdrawn_at,
        (SELECT map_version FROM fleet_state) AS map_version,
        (SELECT count(*) FROM loans
            WHERE user_id = :member AND returned_at IS NULL) AS open_loans,
        ARRAY(SELECT r.book_id FROM book_requests AS r WHERE r.user_id = :member
            AND r.status IN ('PENDING', 'APPROVED', 'IN_PROGRESS')) AS requested,
        (SELECT max_loans FROM loan_policies AS p
            WHERE p.role = u.role AND p.kind = 'STANDARD') AS max_loans,
        EXISTS (SELECT FROM holds AS h WHERE h.user_id = :member AND h.book_id = :book_id
            AND h.status IN ('QUEUED', 'READY')) AS has_hold
    FROM (VALUES (true)) AS one LEFT JOIN users AS u ON u.id = :member
        LEFT JOIN books AS b ON b.id = :book_id
    """,
)
# The request, its task with the first entry of its history, and the event; before them are the
# tasks that `queries.queue_ahead` counts: each branch ends at its limit; one scan for both would
# read the index entries of all waiting tasks.
_INSERT = Prepared(
    "insert_request",
    f"""
    WITH request AS (
        INSERT INTO book_requests (id, user_id, book_id, copy_id, request_location, waypoint_id,
            status, notes, handover_code, code_tries, requested_at)
        VALUES (:id, :user_id, :book_id, :copy_id, :request_location, :waypoint_id,
            'PENDING', :notes, :handover_code, 0, :now)
    ), task AS (
        INSERT INTO delivery_tasks (id, reference, task_type, status, priority, request_id,
            book_id, copy_id, source_location, source_waypoint_id, destination_location,
            destination_waypoint_id, created_by, attempt, times_not_loaded, reminders, extensions,
            created_at, stage_since, metadata, version)
        VALUES (:task_id, :reference, 'STUDENT_DELIVERY', 'PENDING', 'NORMAL', :id,
            :book_id, :copy_id, :source_location, :source_waypoint_id, :request_location,
            :waypoint_id, CAST(:created_by AS uuid), 1, 0, 0, 0, :now, :now, '{{}}', 1)
    ), entry AS (
        INSERT INTO task_status_history (id, task_id, action, to_status, changed_by, attempt,
            created_at)
        VALUES (:entry_id, :task_id, 'CREATE', 'PENDING', CAST(:created_by AS text), 1, :now)
    ), {outbox.INSERT_EVENT}
    SELECT count(*) AS ahead FROM (
        (SELECT 1 FROM delivery_tasks WHERE status IN ('PENDING', 'QUEUED')
            AND priority IN ('URGENT', 'HIGH') LIMIT :most)
        UNION ALL
        (SELECT 1 FROM delivery_tasks WHERE status IN ('PENDING', 'QUEUED')
            AND priority = 'NORMAL' AND created_at < :now LIMIT :most)
        LIMIT :most
    ) AS before
    """,  # noqa: S608 (constants of this module and of the outbox)
)


class _Facts(NamedTuple):
    """A row of _FACTS; what is None belongs to a member or a title that does not exist."""

    is_active: bool | None
    title: str | None
    shelf_location: str | None
    withdrawn_at: datetime | None
    map_version: int
    open_loans: int
    requested: list[UUID]
    max_loans: int | None
    has_hold: bool


class NewRequest(NamedTuple):
    """What was stored of a request, by the columns of `queries.requests`, and its queue."""

    id: UUID
    row: dict[str, Any]
    queue_ahead: int


async def create(
    transaction: Transaction,
    actor: Actor,
    book_id: UUID,
    location: str,
    notes: str | None,
    user_id: UUID | None,
) -> NewRequest:
    """Reserve a copy for a member and create the task that brings it."""
    member = access.member_named(actor, user_id)
    values = {"member": member, "book_id": book_id}
    # A copy is reserved at once: if the request is refused, that is rolled back.
    reserving = custody.reserving(member, book_id, str(actor.id))
    _, (row,), reserved = await transaction.run_each(
        (_LOCK_MEMBER, values), (_FACTS, values), reserving
    )
    facts = _Facts._make(row)
    if member != actor.id and not facts.is_active:
        raise access.inactive_member()
    places = await route_graph.of_version_hot(facts.map_version)
    place = places.find(location)
    if facts.title is None or facts.withdrawn_at is not None:
        raise NotFound("Book not found.")
    _check_limits(facts, book_id)
    copy = await custody.reserve_for(
        transaction, member, book_id, str(actor.id), found=reserved, has_hold=facts.has_hold
    )
    source = _loading_place(places, copy, facts.shelf_location)
    new = _row(member, copy, place, notes)
    new["book_title"] = facts.title
    return NewRequest(new["id"], new, await _insert(transaction, new, source, actor))


def _check_limits(facts: _Facts, book_id: UUID) -> None:
    limit = facts.max_loans
    if limit is None:
        limit = loan_policies.default(CopyKind.STANDARD).max_loans
    if facts.open_loans + len(facts.requested) >= limit:
        raise LoanLimitReached(limit=limit)
    if book_id in facts.requested:
        raise AlreadyRequested(book_id=book_id)


def _row(
    member: UUID, copy: ReservedCopy, place: GraphWaypoint, notes: str | None
) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": ids.uuid7(),
        "user_id": member,
        "book_id": copy.book_id,
        "copy_id": copy.id,
        "request_location": place.name,
        "waypoint_id": place.id,
        "status": RequestStatus.PENDING,
        "notes": notes,
        "handover_code": f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}",
        "requested_at": now,
        "task_id": ids.uuid7(),
        "reference": ids.reference(),
        "task_status": TaskStatus.PENDING,
        "waits_since": now,
        "extensions": 0,
        "task_version": 1,
    }


async def _insert(
    transaction: Transaction, row: dict[str, Any], source: GraphWaypoint, actor: Actor
) -> int:
    """Insert the rows of a request with its event; return how many tasks are served before it."""
    created = events.RequestCreated(
        request_id=row["id"],
        task_id=row["task_id"],
        user_id=row["user_id"],
        book_id=row["book_id"],
        book_title=row["book_title"],
        location=row["request_location"],
        status=RequestStatus.PENDING,
    )
    values = {
        **row,
        **outbox.row_of(created),
        "source_location": source.name,
        "source_waypoint_id": source.id,
        "created_by": actor.id,
        "entry_id": ids.uuid7(),
        "now": row["requested_at"],
        "most": queries.MAX_QUEUE_SHOWN,
    }
    (found,) = await transaction.run_last((_INSERT, values))
    ahead: int = found.ahead
    return ahead


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
