"""Dependencies of the routes: search parameters, import uploads, and rows loaded and locked."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO
from uuid import UUID

from fastapi import Depends, Query, Request
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from backend.book import queries
from backend.book.imports import format_detection, jobs
from backend.book.imports.format_detection import Upload
from backend.book.schemas import field_types
from backend.book.schemas.imports import ImportJobRead
from backend.book.search.search_query import SearchQuery
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.errors import Invalid, NotFound, UnsupportedMediaType, invalid
from backend.shared.infra import database
from backend.shared.models import Book, BookStatus, Copy, ImportJob
from backend.shared.web import etags
from backend.shared.web.database_session import SessionDep
from backend.shared.web.etags import IfMatch
from backend.shared.web.idempotency import IdempotentRequest, idempotent
from backend.shared.web.schemas import PlainText
from backend.shared.web.security.authentication import StaffDep

COPY_NOT_FOUND = "Copy not found: this book has no copy with that id."
_Text = Annotated[PlainText | None, Query(max_length=300)]
_YearQuery = Annotated[int | None, Query(ge=field_types.MIN_YEAR, le=field_types.MAX_YEAR)]
_FORM_FIELDS = frozenset({"file", "format", "dry_run"})
_CHUNK_BYTES = 64 * 1024
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no", ""})


def locked_book(session: Session, book_id: UUID) -> Book:
    """Return a title of the catalogue, locked; NotFound if there is none.

    Called by the endpoint, not injected: validation errors of the body precede 404.
    """
    book = database.row_lock_or_none(session, Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound(BOOK_NOT_FOUND)
    return book


def locked_copy(session: Session, book_id: UUID, copy_id: UUID) -> Copy:
    """Return a copy of a title, locked; locks the copy before the title, as custody does."""
    copy = database.row_lock_or_none(session, Copy, copy_id)
    locked_book(session, book_id)
    if copy is None or copy.book_id != book_id:
        raise NotFound(COPY_NOT_FOUND)
    return copy


def import_job(session: Session | Connection, job_id: UUID) -> ImportJobRead:
    """Read a job; NotFound if there is none."""
    row = session.execute(queries.import_job(job_id)).one_or_none()
    if row is None:
        raise NotFound(jobs.JOB_NOT_FOUND)
    return ImportJobRead.model_validate(row)


def _matching_import(job_id: UUID, session: SessionDep, if_match: IfMatch = None) -> None:
    if if_match is not None:
        database.row_lock_or_none(session, ImportJob, job_id)
        etags.check(if_match, import_job(session, job_id))


MATCHING_IMPORT = Depends(_matching_import, scope="function")


async def _search_query(  # noqa: PLR0913, PLR0917 (one parameter a filter, as the contract lists them)
    q: Annotated[
        PlainText | None,
        Query(
            max_length=300,
            description="Words of title, author, subjects, publisher, or an ISBN. "
            '`"a phrase"`, `-without`, `title: author: subject: publisher: isbn: language:` and '
            "`year:2010..2020` restrict the search",
            examples=["hunger games collins", "978-0-439-02348-1"],
        ),
    ] = None,
    status: Annotated[BookStatus | None, Query()] = None,
    author: _Text = None,
    publisher: _Text = None,
    subject: _Text = None,
    language: _Text = None,
    year_from: _YearQuery = None,
    year_to: _YearQuery = None,
    isbn: _Text = None,
    available: Annotated[bool | None, Query(description="A copy is on the shelf now")] = None,
    exact: Annotated[bool, Query(description="Do not correct spelling")] = False,  # noqa: FBT002 (a query parameter)
    facets: Annotated[bool, Query(description="Count the values of the filters")] = False,  # noqa: FBT002 (a query parameter)
) -> SearchQuery:
    return SearchQuery(
        q=q or None,
        status=status,
        author=author or None,
        publisher=publisher or None,
        subject=subject or None,
        language=language or None,
        year_from=year_from,
        year_to=year_to,
        isbn=isbn or None,
        available=available,
        exact=exact,
        facets=facets,
    )


@dataclass(frozen=True)
class SpooledBody:
    """A request body on disk, with its digest."""

    content: BinaryIO
    digest: bytes


async def _spooled_body(request: Request, _: StaffDep) -> AsyncIterator[SpooledBody]:
    """Write the body to disk as it arrives; the guard precedes reading it."""
    digest = hashlib.sha256()
    with TemporaryFile() as content:
        async for chunk in request.stream():
            digest.update(chunk)
            content.write(chunk)
        content.seek(0)
        yield SpooledBody(content, digest.digest())


_SpooledDep = Annotated[SpooledBody, Depends(_spooled_body)]


async def _digest(body: _SpooledDep) -> bytes:
    return body.digest


async def _upload(
    request: Request,
    body: _SpooledDep,
    dry_run: Annotated[bool, Query(description="Validate only, change nothing")] = False,  # noqa: FBT002 (a query parameter)
) -> AsyncIterator[tuple[Upload, bool]]:
    """Yield the upload and whether this is a dry run."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with _form(request, body.content) as form:
            upload, dry_run_field = await _form_upload(form)
            with upload.content:
                yield upload, dry_run or dry_run_field
    elif kind == "application/json":
        with TemporaryFile() as lines:
            read = format_detection.read_json
            upload, dry_run_field = await run_in_threadpool(read, body.content, lines)
            yield upload, dry_run or dry_run_field
    else:
        raise UnsupportedMediaType("Send a file as multipart/form-data, or a JSON body.")


@asynccontextmanager
async def _form(request: Request, content: BinaryIO) -> AsyncIterator[FormData]:
    async def chunks() -> AsyncGenerator[bytes, None]:
        while chunk := content.read(_CHUNK_BYTES):
            yield chunk

    try:
        form = await MultiPartParser(request.headers, chunks()).parse()
    except MultiPartException as error:
        raise invalid("body", error.message) from error
    try:
        yield form
    finally:
        await form.close()


async def _form_upload(form: FormData) -> tuple[Upload, bool]:
    _refuse_unknown(set(form) - _FORM_FIELDS)
    file, kind, dry_run = form.get("file"), form.get("format"), form.get("dry_run", "")
    if not isinstance(file, UploadFile):
        raise invalid("file", "must be a file")
    if isinstance(kind, UploadFile):
        raise invalid("format", "must be text")
    flag = str(dry_run).lower()
    if flag not in _TRUE | _FALSE:
        raise invalid("dry_run", "must be true or false")
    read = format_detection.read_file
    return await run_in_threadpool(read, file.filename, file.file, kind), flag in _TRUE


def _refuse_unknown(names: set[str]) -> None:
    if names:
        raise Invalid(fields={name: ["is not a known field"] for name in sorted(names)})


SearchQueryDep = Annotated[SearchQuery, Depends(_search_query)]
UploadDep = Annotated[tuple[Upload, bool], Depends(_upload)]
ImportIdempotencyDep = Annotated[
    IdempotentRequest, Depends(idempotent(IdempotentRequest, _digest), scope="function")
]
