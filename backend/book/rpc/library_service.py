"""The class of `luna.v1.LibraryService`: translates messages; the rules are those of REST."""

from typing import cast
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from backend.book import dependencies, queries
from backend.book.rpc import messages
from backend.book.schemas.books import BookCreate, BookDetail, BookUpdate
from backend.book.schemas.loans import CheckInBody, CheckOutBody
from backend.book.search.search_query import SearchQuery
from backend.book.service import books, cached_reads, check_in, check_out, loan_reads
from backend.book.service.loan_reads import LoanRow
from backend.shared.domain import access
from backend.shared.domain.accounts.creation import add_member
from backend.shared.errors import Invalid, NotBorrowed, NotFound, StaleVersion
from backend.shared.infra import clock
from backend.shared.models import Copy, Custody, Loan, LoanChannel
from backend.shared.proto.gen.luna.v1 import library_connect
from backend.shared.proto.gen.luna.v1.library_pb import (
    BorrowBookRequest,
    BorrowBookResponse,
    BorrowRecord,
    CreateBookRequest,
    CreateBookResponse,
    CreateMemberRequest,
    CreateMemberResponse,
    GetBookRequest,
    GetBookResponse,
    ListBorrowedBooksRequest,
    ListBorrowedBooksResponse,
    Member,
    ReturnBookRequest,
    ReturnBookResponse,
    SearchBooksRequest,
    SearchBooksResponse,
    UpdateBookRequest,
    UpdateBookResponse,
)
from backend.shared.web.pagination import ordered
from backend.shared.web.rpc import calls
from backend.shared.web.rpc.access import Context, caller
from backend.shared.web.rpc.enums import BOOK_STATUSES
from backend.shared.web.rpc.messages import page_query
from backend.shared.web.schemas.accounts import NewUser


class LibraryService(library_connect.LibraryService):
    """Titles, members and loans, for kiosks and other libraries' software."""

    async def create_book(self, request: CreateBookRequest, ctx: Context, /) -> CreateBookResponse:
        body = calls.parse(BookCreate, messages.new_book(request))
        actor = caller().actor

        def work(session: Session) -> BookDetail:
            made = books.create(session, actor.id, body)
            return cached_reads.read_book(session.connection(), made.id)

        return CreateBookResponse(book=messages.book(await calls.write(ctx, work)))

    async def update_book(self, request: UpdateBookRequest, ctx: Context, /) -> UpdateBookResponse:
        body = calls.parse(BookUpdate, messages.book_changes(request))
        actor = caller().actor
        expected = request.expected_version if request.has_field("expected_version") else None

        def work(session: Session) -> BookDetail:
            book = dependencies.locked_book(session, UUID(request.book_id))
            if expected not in {None, book.version}:
                raise StaleVersion
            books.update(session, actor.id, book, body)
            return cached_reads.read_book(session.connection(), book.id)

        return UpdateBookResponse(book=messages.book(await calls.write(ctx, work)))

    async def get_book(self, request: GetBookRequest, _: Context, /) -> GetBookResponse:
        _version, cached = await cached_reads.book(UUID(request.book_id))
        return GetBookResponse(book=messages.book(BookDetail.model_validate_json(cached)))

    async def search_books(self, request: SearchBooksRequest, _: Context, /) -> SearchBooksResponse:
        text = calls.parse(messages.SearchText, messages.search_text(request))
        query = SearchQuery(
            **{name: value or None for name, value in text.model_dump().items()},
            status=BOOK_STATUSES.to_database(request.status),
            year_from=request.year_from if request.has_field("year_from") else None,
            year_to=request.year_to if request.has_field("year_to") else None,
            available=request.available if request.has_field("available") else None,
            exact=request.exact,
        )
        page = page_query(
            request.page, request.page_size, request.sort, descending=request.descending
        )
        cached = await cached_reads.search(query, page)
        found = messages.Found.model_validate_json(b'{"data":%b}' % cached)
        return SearchBooksResponse(
            books=[messages.book(each) for each in found.data],
            total_count=found.pagination.total,
            did_you_mean=found.did_you_mean or "",
        )

    async def create_member(
        self, request: CreateMemberRequest, ctx: Context, /
    ) -> CreateMemberResponse:
        values = {
            "email": request.email,
            "first_name": request.first_name,
            "last_name": request.last_name,
            "phone_number": request.phone_number if request.has_field("phone_number") else None,
        }
        fields = calls.parse(NewUser, values).model_dump()
        actor = caller().actor

        def work(session: Session) -> Member:
            return messages.member(add_member(session, fields, actor_id=actor.id))

        return CreateMemberResponse(member=await calls.write(ctx, work))

    async def borrow_book(self, request: BorrowBookRequest, ctx: Context, /) -> BorrowBookResponse:
        item = request.item
        assert item is not None  # the contract requires one
        body = calls.parse(CheckOutBody, {"user_id": request.member_id, item.field: item.value})
        actor = caller().actor

        def work(session: Session) -> BorrowRecord:
            try:
                loan = check_out.check_out(
                    session,
                    actor.id,
                    body.user_id,
                    body.copy_barcode,
                    body.book_id,
                    LoanChannel.RPC,
                )
            except Invalid as error:
                if "user_id" in error.details["fields"]:
                    raise NotFound("Member not found.") from error
                raise
            return _record(session, loan.id)

        return BorrowBookResponse(record=await calls.write(ctx, work))

    async def return_book(self, request: ReturnBookRequest, ctx: Context, /) -> ReturnBookResponse:
        item = request.item
        assert item is not None  # the contract requires one
        if item.field == "copy_barcode":
            body = calls.parse(CheckInBody, {"copy_barcode": item.value})
        actor = caller().actor

        def work(session: Session) -> ReturnBookResponse:
            if item.field == "copy_barcode":
                loan_id = _open_loan(session, body.copy_barcode)
            else:
                loan_id = UUID(item.value)
            loan = check_in.close(session, actor.id, loan_id)
            if loan is None:
                raise NotBorrowed("This book is not on loan.")
            copy = session.get_one(Copy, loan.copy_id)
            kept = copy.custody is Custody.ON_HOLD_SHELF
            return ReturnBookResponse(record=_record(session, loan.id), kept_for_hold=kept)

        return await calls.write(ctx, work)

    async def list_borrowed_books(
        self, request: ListBorrowedBooksRequest, ctx: Context, /
    ) -> ListBorrowedBooksResponse:
        asked = UUID(request.member_id) if request.has_field("member_id") else None
        owner = access.owner_filter(caller().actor, asked)
        page = page_query(request.page, request.page_size)
        statement = queries.loans(now=clock.now(), user_id=owner)
        if request.open_only:
            statement = statement.where(Loan.returned_at.is_(None))
        counted = select(func.count()).select_from(statement.subquery())
        listed = ordered(
            statement, page, queries.LOAN_SORTS, default="-borrowed_at", tiebreak=Loan.id
        ).limit(page.limit)

        def work(connection: Connection) -> ListBorrowedBooksResponse:
            rows = connection.execute(listed.offset(page.offset)).all()
            return ListBorrowedBooksResponse(
                records=[messages.record(cast(LoanRow, row)) for row in rows],
                total_count=connection.execute(counted).scalar_one(),
            )

        return await calls.read(ctx, work)


def _open_loan(session: Session, barcode: str) -> UUID:
    """Return the open loan of a copy; NotFound without the copy, NotBorrowed without a loan."""
    row = session.execute(
        select(Copy.id, Loan.id.label("loan_id"))
        .outerjoin(Loan, (Loan.copy_id == Copy.id) & Loan.returned_at.is_(None))
        .where(Copy.barcode == barcode)
    ).one_or_none()
    if row is None:
        raise NotFound(f"Copy not found: no copy has the barcode {barcode}.")
    if row.loan_id is None:
        raise NotBorrowed("This book is not on loan.")
    found: UUID = row.loan_id
    return found


def _record(session: Session, loan_id: UUID) -> BorrowRecord:
    return messages.record(loan_reads.find_loan(session.connection(), loan_id))
