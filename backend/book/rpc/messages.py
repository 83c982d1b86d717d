"""Messages of the library from models and rows of the book service, and the other way round."""

from typing import Any

from backend.book.schemas.books import BookDetail, BookRead
from backend.book.service.loan_reads import LoanRow
from backend.shared.models import User
from backend.shared.proto.gen.luna.v1 import library_pb
from backend.shared.web.envelope import Pagination
from backend.shared.web.rpc.enums import BOOK_STATUSES, LOAN_CHANNELS, LOAN_STATES
from backend.shared.web.rpc.messages import timestamp
from backend.shared.web.schemas import PlainText, RequestModel, ResponseModel

BOOK_FIELDS = (
    *("title", "author", "isbn", "publisher", "publication_year", "description", "cover_image_url"),
    *("shelf_location", "subjects", "language", "subtitle", "call_number"),
)
_FILTERS = ("author", "publisher", "subject", "language", "isbn")


class SearchText(RequestModel):
    """The texts of a search, with the rules of the same parameters in REST."""

    q: PlainText
    author: PlainText
    publisher: PlainText
    subject: PlainText
    language: PlainText
    isbn: PlainText


class Found(ResponseModel):
    """What a cached search holds."""

    data: list[BookRead]
    pagination: Pagination
    did_you_mean: str | None = None


def search_text(request: library_pb.SearchBooksRequest) -> dict[str, str]:
    return {"q": request.query, **{name: getattr(request, name) for name in _FILTERS}}


def new_book(request: library_pb.CreateBookRequest) -> dict[str, Any]:
    """Return the fields that a request sets, by their names in REST."""
    values = {name: getattr(request, name) for name in BOOK_FIELDS if _is_set(request, name)}
    return values | ({"copies": request.copies} if request.has_field("copies") else {})


def book_changes(request: library_pb.UpdateBookRequest) -> dict[str, Any]:
    """Return the fields to change: those that are set, or those that the mask names."""
    named = list(request.update_mask.paths) if request.update_mask is not None else []
    names = named or [name for name in BOOK_FIELDS if _is_set(request, name)]
    return {name: _value(request, name) for name in names}


def _is_set(request: Any, name: str) -> bool:
    return bool(request.subjects) if name == "subjects" else request.has_field(name)


def _value(request: Any, name: str) -> Any:
    """Return a value; null for a field that the mask names and the message does not set."""
    if name == "subjects":
        return list(request.subjects)
    return getattr(request, name) if request.has_field(name) else None


def book(found: BookRead) -> library_pb.Book:
    return library_pb.Book(
        id=str(found.id),
        isbn=found.isbn,
        title=found.title,
        author=found.author,
        publisher=found.publisher,
        publication_year=found.publication_year,
        description=found.description,
        cover_image_url=found.cover_image_url,
        status=BOOK_STATUSES.to_contract(found.status),
        shelf_location=found.shelf_location,
        subjects=found.subjects,
        language=found.language,
        copies_total=found.copies_total,
        copies_available=found.copies_available,
        subtitle=found.subtitle,
        call_number=found.call_number,
        version=found.version if isinstance(found, BookDetail) else 0,
        created_at=timestamp(found.created_at),
        updated_at=timestamp(found.updated_at),
    )


def member(user: User) -> library_pb.Member:
    return library_pb.Member(
        id=str(user.id),
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        phone_number=user.phone_number,
        is_active=user.is_active,
        created_at=timestamp(user.created_at),
        updated_at=timestamp(user.updated_at),
    )


def record(row: LoanRow) -> library_pb.BorrowRecord:
    """Return the message of a row of `queries.loans`."""
    return library_pb.BorrowRecord(
        id=str(row.id),
        member_id=str(row.user_id) if row.user_id is not None else None,
        book_id=str(row.book_id),
        copy_id=str(row.copy_id),
        copy_barcode=row.barcode,
        book_title=row.book_title,
        due_at=timestamp(row.due_at),
        returned_at=timestamp(row.returned_at),
        renewals=row.renewals,
        state=LOAN_STATES.to_contract(row.state),
        channel=LOAN_CHANNELS.to_contract(row.channel),
        overdue=row.overdue,
        created_at=timestamp(row.borrowed_at),
    )
