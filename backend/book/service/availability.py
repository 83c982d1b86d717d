"""Compute the availability of a title from its copies, without a cache."""

from functools import lru_cache
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ScalarSelect, and_, bindparam, func, select

from backend.book import queries
from backend.book.schemas.actions import ActionRead
from backend.book.schemas.availability import Availability, CopyAvailability, ShelfCount
from backend.book.service.books import BOOK_NOT_FOUND
from backend.book.service.loan_reads import action
from backend.shared.domain.refusals import ActionName, Reason
from backend.shared.errors import NotFound
from backend.shared.infra import config
from backend.shared.infra.hot_reads import MAX_REMEMBERED, HotRead, Row
from backend.shared.models import (
    CLOSED_STATUSES,
    OPEN_HOLD_STATUSES,
    Book,
    BookRequest,
    BookStatus,
    Condition,
    Copy,
    CopyKind,
    Custody,
    Hold,
    HoldStatus,
    Loan,
    LoanPolicy,
    User,
)
from backend.shared.web.pagination import AnySelect


def _availability() -> AnySelect:
    """Select a title's status and waiting holds beside each copy; without copies one row."""
    holds = (
        select(func.count())
        .where(Hold.book_id == Book.id, Hold.status == HoldStatus.QUEUED)
        .scalar_subquery()
    )
    return (
        select(
            Book.status.label("title_status"),
            holds.label("holds_waiting"),
            Copy.id,
            Copy.barcode,
            Copy.condition,
            Copy.custody,
            Copy.shelf_location,
            Copy.call_number,
            queries.COPY_STATUS.label("status"),
            Loan.due_at,
        )
        .select_from(Book)
        .outerjoin(Copy, and_(Copy.book_id == Book.id, Copy.condition != Condition.WITHDRAWN))
        .outerjoin(Loan, and_(Loan.copy_id == Copy.id, Loan.returned_at.is_(None)))
        .where(Book.id == bindparam("book_id"), Book.withdrawn_at.is_(None))
        .order_by(Copy.shelf_location, Copy.barcode)
    )


AVAILABILITY = HotRead(_availability())


async def read(book_id: UUID) -> bytes:
    """Return the JSON of Availability; NotFound for an unknown title."""
    records = await AVAILABILITY.records(book_id=book_id)
    if not records:
        raise NotFound(BOOK_NOT_FOUND)
    return _encode(book_id, *records)


@lru_cache(maxsize=MAX_REMEMBERED)
def _encode(book_id: UUID, *records: bytes) -> bytes:
    rows = [AVAILABILITY.row(record) for record in records]
    copies = [CopyAvailability.model_validate(row) for row in rows if row.id is not None]
    available = sum(copy.status is BookStatus.AVAILABLE for copy in copies)
    found = Availability(
        book_id=book_id,
        available=available > 0,
        status=rows[0].title_status,
        copies_total=len(copies),
        copies_available=available,
        copies=copies,
        shelves=_count_by_shelf(copies),
        next_due_at=min((copy.due_at for copy in copies if copy.due_at), default=None),
        holds_waiting=rows[0].holds_waiting,
    )
    return found.model_dump_json().encode()


def _count_by_shelf(copies: list[CopyAvailability]) -> list[ShelfCount]:
    places = [(copy.shelf_location, copy.status) for copy in copies]
    return [
        ShelfCount(shelf_location=shelf, status=status, copies=places.count((shelf, status)))
        for shelf, status in dict.fromkeys(places)
    ]


_ACTIONS = TypeAdapter(list[ActionRead])
_BOOK = bindparam("book_id", type_=Copy.__table__.c.book_id.type)
_LENDABLE_LATER = (Condition.OK, Condition.IN_PROCESS, Condition.DAMAGED, Condition.MISSING)


def _policy(column: str) -> ScalarSelect[int]:
    rules = LoanPolicy.__table__.c
    return (
        select(rules[column])
        .where(rules.role == User.role, rules.kind == CopyKind.STANDARD)
        .scalar_subquery()
    )


def _count(*columns: object) -> ScalarSelect[int]:
    return select(func.count()).where(*columns).scalar_subquery()  # type: ignore[arg-type]  # SQL conditions


_open_loan = (Loan.user_id == User.id, Loan.returned_at.is_(None))
_open_request = (BookRequest.user_id == User.id, BookRequest.status.not_in(CLOSED_STATUSES))
_open_hold = (Hold.user_id == User.id, Hold.status.in_(OPEN_HOLD_STATUSES))
_free = (
    Copy.book_id == _BOOK,
    Copy.custody == Custody.ON_SHELF,
    Copy.condition == Condition.OK,
)
_FACTS = HotRead(
    select(
        User.is_active,
        _policy("max_loans").label("max_loans"),
        _policy("max_holds").label("max_holds"),
        _count(*_open_loan).label("loans"),
        _count(*_open_request).label("requests"),
        _count(*_open_hold).label("holds"),
        _count(*_open_request, BookRequest.book_id == _BOOK).label("requested"),
        _count(*_open_hold, Hold.book_id == _BOOK).label("held"),
        _count(*_open_hold, Hold.book_id == _BOOK, Hold.status == HoldStatus.READY).label("ready"),
        _count(*_open_loan, Loan.copy_id == Copy.id, Copy.book_id == _BOOK).label("borrowed"),
        _count(*_free).label("available"),
        _count(*_free, Copy.robot_transportable).label("transportable"),
        _count(Copy.book_id == _BOOK, Copy.condition.in_(_LENDABLE_LATER)).label("copies"),
    ).where(User.id == bindparam("user_id"))
)


async def read_actions(user_id: UUID, book_id: UUID) -> bytes:
    """Return the actions of a member on a title as JSON."""
    facts = await _FACTS.one(user_id=user_id, book_id=book_id)
    actions = [
        action(ActionName.REQUEST, _request_reasons(facts)),
        action(ActionName.PLACE_HOLD, _hold_reasons(facts)),
    ]
    return _ACTIONS.dump_json(actions)


def _request_reasons(facts: Row) -> list[Reason]:
    limit = facts.max_loans if facts.max_loans is not None else config.loans().loans_per_member
    checks = {
        Reason.MEMBER_INACTIVE: not facts.is_active,
        Reason.ALREADY_REQUESTED: facts.requested,
        Reason.NO_COPY_AVAILABLE: not facts.available and not facts.ready,
        Reason.NOT_TRANSPORTABLE: facts.available and not facts.transportable and not facts.ready,
        Reason.LIMIT_LOANS: facts.loans + facts.requests >= limit,
    }
    return [reason for reason, is_true in checks.items() if is_true]


def _hold_reasons(facts: Row) -> list[Reason]:
    limit = facts.max_holds if facts.max_holds is not None else config.loans().holds_per_member
    checks = {
        Reason.HOLD_EXISTS: facts.held,
        Reason.COPY_AVAILABLE: facts.available,
        Reason.NO_COPIES: not facts.copies,
        Reason.ALREADY_BORROWED: facts.borrowed,
        Reason.ALREADY_REQUESTED: facts.requested,
        Reason.LIMIT_HOLDS: facts.holds >= limit,
        Reason.MEMBER_INACTIVE: not facts.is_active,
    }
    return [reason for reason, is_true in checks.items() if is_true]
