"""What a scanner reads: one copy with its possible actions, or the copies of a shelf."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, select
from sqlalchemy.orm import Session

from backend.book import queries
from backend.book.schemas.actions import ActionRead
from backend.book.schemas.copies import CopyRead
from backend.book.schemas.loans import KeptFor
from backend.book.schemas.scanning import (
    Finding,
    MemberRead,
    ScannedCopy,
    StockTakeBody,
    StockTakeItem,
    StockTakeResult,
)
from backend.book.service import loan_reads
from backend.book.service.check_out import IN_USE, NO_SUCH_BARCODE
from backend.book.service.loan_reads import LoanRow
from backend.shared.domain.circulation import custody
from backend.shared.domain.circulation.custody import CustodyContext
from backend.shared.domain.refusals import ActionName, Reason
from backend.shared.errors import NotFound
from backend.shared.infra import clock
from backend.shared.models import (
    CLOSED_STATUSES,
    Book,
    BookRequest,
    Condition,
    Copy,
    Custody,
    Hold,
    HoldStatus,
    Loan,
    User,
    Waypoint,
)

_LOST = frozenset({Condition.MISSING, Condition.LOST})
_NAME = func.concat_ws(" ", User.first_name, User.last_name)


def scan(connection: Connection, barcode: str) -> ScannedCopy:
    """Describe the copy with a barcode; NotFound if there is none."""
    row = connection.execute(
        select(
            *Copy.__table__.c,
            Book.title.label("book_title"),
            Book.author,
            Waypoint.name.label("waypoint_name"),
        )
        .join(Book, Book.id == Copy.book_id)
        .outerjoin(Waypoint, Waypoint.id == Copy.waypoint_id)
        .where(Copy.barcode == barcode)
    ).one_or_none()
    if row is None:
        raise NotFound(NO_SUCH_BARCODE.format(barcode))
    open_loan = queries.loans(now=clock.now()).where(
        Loan.copy_id == row.id, Loan.returned_at.is_(None)
    )
    loan = cast(LoanRow | None, connection.execute(open_loan).one_or_none())
    kept = _kept_for(connection, row.id)
    member = _member(connection, loan.user_id) if loan is not None else None
    is_shelved = row.custody is Custody.ON_SHELF
    return ScannedCopy(
        copy_=CopyRead.model_validate(row),
        book_id=row.book_id,
        book_title=row.book_title,
        author=row.author,
        place=row.waypoint_name or (row.shelf_location if is_shelved else None),
        loan=loan_reads.loan_reader(connection)(loan) if loan is not None else None,
        member=member,
        kept_for=kept,
        request_id=_request_id(connection, row.id),
        actions=_actions(row.condition, row.custody, kept),
    )


def _kept_for(connection: Connection, copy_id: UUID) -> KeptFor | None:
    row = connection.execute(
        select(
            Hold.id.label("hold_id"),
            Hold.user_id,
            _NAME.label("member_name"),
            Hold.ready_until,
        )
        .join(User, User.id == Hold.user_id)
        .where(Hold.copy_id == copy_id, Hold.status == HoldStatus.READY)
    ).one_or_none()
    return KeptFor.model_validate(row) if row is not None else None


def _member(connection: Connection, user_id: UUID | None) -> MemberRead | None:
    row = connection.execute(
        select(User.id, _NAME.label("name")).where(User.id == user_id)
    ).one_or_none()
    return MemberRead.model_validate(row) if row is not None else None


def _request_id(connection: Connection, copy_id: UUID) -> UUID | None:
    return connection.execute(
        select(BookRequest.id).where(
            BookRequest.copy_id == copy_id, BookRequest.status.not_in(CLOSED_STATUSES)
        )
    ).scalar_one_or_none()


def _actions(condition: Condition, place: Custody, kept: KeptFor | None) -> list[ActionRead]:
    """List the desk's actions on a copy, each with the reasons against it."""
    withdrawn = [Reason.COPY_WITHDRAWN] if condition is Condition.WITHDRAWN else []
    in_use = [IN_USE[place]] if place in IN_USE else []
    held = [Reason.HELD_FOR_OTHER] if kept is not None and not in_use else []
    not_ok = condition not in {Condition.OK, Condition.WITHDRAWN}
    unfit = [Reason.NOT_LOANABLE] if not_ok else []
    moving = [] if place is Custody.ON_LOAN else in_use
    is_in_place = place is Custody.ON_SHELF and condition not in _LOST
    shelved = [Reason.COPY_ON_SHELF] if is_in_place else []
    # Lending to the member that the copy is kept for is possible: only the scan of a card tells.
    return [
        loan_reads.action(ActionName.CHECK_OUT, [*withdrawn, *in_use, *unfit]),
        loan_reads.action(ActionName.CHECK_IN, [*withdrawn, *moving, *shelved]),
        loan_reads.action(ActionName.SHELVE, [*withdrawn, *in_use, *held, *shelved]),
        loan_reads.action(ActionName.WITHDRAW, [*withdrawn, *in_use, *held]),
    ]


def take_stock(session: Session, actor_id: UUID, body: StockTakeBody) -> StockTakeResult:
    """Compare the barcodes seen at a shelf with what the catalogue expects there.

    Copies seen are marked as seen; a missing or lost one is shelved again.
    """
    seen = dict.fromkeys(body.barcodes)
    rows = _copies(session, Copy.barcode.in_(seen))
    known = {copy.barcode: (copy, title) for copy, title in rows}
    items: list[StockTakeItem] = []
    in_place = 0
    for barcode in seen:
        copy, title = known.get(barcode, (None, None))
        finding = _finding(copy, body.shelf_location)
        if copy is not None and finding is not Finding.ON_LOAN:
            _mark_seen(session, actor_id, copy)
        if finding is Finding.IN_PLACE:
            in_place += 1
        else:
            shelf = copy.shelf_location if copy is not None else None
            items.append(
                StockTakeItem(
                    barcode=barcode, finding=finding, book_title=title, shelf_location=shelf
                )
            )
    return StockTakeResult(in_place=in_place, items=[*items, *_unseen(session, body, seen)])


def _copies(session: Session, *where: ColumnElement[bool]) -> Sequence[Row[Copy, str]]:
    """Return copies with their titles, locked in the order of their ids."""
    statement = (
        select(Copy, Book.title)
        .join(Book, Book.id == Copy.book_id)
        .where(*where)
        .order_by(Copy.id)
        .with_for_update(of=Copy)
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).all()


def _finding(copy: Copy | None, shelf: str | None) -> Finding:
    if copy is None:
        return Finding.UNKNOWN
    if copy.custody is Custody.ON_LOAN:
        return Finding.ON_LOAN
    if copy.condition in _LOST:
        return Finding.FOUND_AGAIN
    if copy.custody is not Custody.ON_SHELF or copy.condition is Condition.WITHDRAWN:
        return Finding.NOT_EXPECTED
    is_here = shelf is None or copy.shelf_location == shelf
    return Finding.IN_PLACE if is_here else Finding.MISPLACED


def _mark_seen(session: Session, actor_id: UUID, copy: Copy) -> None:
    if copy.condition in _LOST and copy.custody is Custody.ON_SHELF:
        custody.shelve(session, copy, None, CustodyContext(str(actor_id)))
    copy.last_seen_at = clock.now()
    session.flush()


def _unseen(session: Session, body: StockTakeBody, seen: dict[str, None]) -> list[StockTakeItem]:
    """List the copies of the shelf that were not scanned."""
    if body.shelf_location is None or not body.is_complete:
        return []
    rows = session.execute(
        select(Copy.barcode, Book.title)
        .join(Book, Book.id == Copy.book_id)
        .where(
            Copy.shelf_location == body.shelf_location,
            Copy.custody == Custody.ON_SHELF,
            Copy.condition.not_in([*_LOST, Condition.WITHDRAWN]),
            Copy.barcode.not_in(seen),
        )
        .order_by(Copy.barcode)
    ).all()
    return [
        StockTakeItem(
            barcode=row.barcode,
            finding=Finding.MISSING_CANDIDATE,
            book_title=row.title,
            shelf_location=body.shelf_location,
        )
        for row in rows
    ]
