"""Bulk imports: hand in a file, follow the job, read what it says about rows."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from backend.book.imports import format_detection, jobs
from backend.book.schemas.imports import ImportAccepted, ImportJobRead, ImportRowRead
from backend.shared.errors import (
    Invalid,
    MalformedJson,
    NotFound,
    PayloadTooLarge,
    RoleNotAllowed,
    UnsupportedMediaType,
    invalid,
)
from backend.shared.infra import config
from backend.shared.models import ImportJob, ImportRow, Severity
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/books/bulk-import", "imports")
_FORM_FIELDS = frozenset({"file", "format", "dry_run"})
_JSON_FIELDS = frozenset({"books", "dry_run"})
_YES, _NO = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no", ""})
_NO_JOB = "There is no such import."
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "CSV"},
                    "format": {"type": "string", "enum": ["CSV"]},
                    "dry_run": {"type": "boolean"},
                },
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["books"],
                "properties": {
                    "books": {"type": "array", "items": {"type": "object"}},
                    "dry_run": {"type": "boolean"},
                },
            },
            "example": {
                "books": [
                    {
                        "title": "The Mythical Man-Month",
                        "author": "Frederick P. Brooks",
                        "isbn": "9780201835953",
                        "copies": 2,
                    }
                ],
                "dry_run": True,
            },
        },
    },
}


async def _handed_in(
    request: Request,
    _: StaffDep,
    dry_run: Annotated[bool, Query(description="Check everything, change nothing")] = False,  # noqa: FBT002 (a query parameter)
) -> tuple[format_detection.Upload, bool]:
    """The upload and whether it is only to be checked; the body is read after the guard."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        upload, asked = await _of_a_form(request)
    elif kind == "application/json":
        upload, asked = await run_in_threadpool(_of_json, await request.body())
    else:
        raise UnsupportedMediaType("Send a CSV file as multipart/form-data, or a JSON body.")
    return upload, dry_run or asked


async def _of_a_form(request: Request) -> tuple[format_detection.Upload, bool]:
    async with request.form() as form:
        _refuse_unknown(set(form) - _FORM_FIELDS)
        file, kind, dry_run = form.get("file"), form.get("format"), form.get("dry_run", "")
        if not isinstance(file, UploadFile):
            raise invalid("file", "must be a file")
        if isinstance(kind, UploadFile):
            raise invalid("format", "must be text")
        asked = str(dry_run).lower()
        if asked not in _YES | _NO:
            raise invalid("dry_run", "must be true or false")
        upload = await run_in_threadpool(format_detection.csv_file, file.filename, file.file, kind)
    return upload, asked in _YES


def _of_json(body: bytes) -> tuple[format_detection.Upload, bool]:
    given = format_detection.parse(body)
    if not isinstance(given, dict):
        raise invalid("body", "must be an object with books")
    _refuse_unknown(set(given) - _JSON_FIELDS)
    books, dry_run = given.get("books"), given.get("dry_run", False)
    if not isinstance(books, list) or not books:
        raise invalid("books", "must be a list of at least one book")
    if not isinstance(dry_run, bool):
        raise invalid("dry_run", "must be true or false")
    return format_detection.json_books(books), dry_run


def _refuse_unknown(names: set[str]) -> None:
    if names:
        raise Invalid(fields={name: ["is not known here"] for name in sorted(names)})


HandedInDep = Annotated[tuple[format_detection.Upload, bool], Depends(_handed_in)]


@router.post(
    "",
    summary="Import many titles in the background",
    status_code=202,
    response_model=Answer[ImportAccepted],
    max_body_size=config.http().max_import_bytes,
    responses=responses(MalformedJson, PayloadTooLarge, UnsupportedMediaType, RoleNotAllowed),
    openapi_extra={"requestBody": _BODY},
)
def import_books(
    actor: StaffDep, session: SessionDep, once: IdempotencyDep, handed_in: HandedInDep
) -> Response:
    """Up to 64 MiB. Bad rows are told one by one and stop no other. Role: librarian, admin."""
    upload, dry_run = handed_in
    return once.answer(
        lambda: ImportAccepted(job_id=jobs.queue(session, actor.id, upload, dry_run=dry_run).id),
        location=lambda made: f"/api/v1/books/bulk-import/{made.job_id}",
        status=202,
    )


@router.get("/{job_id}", summary="Follow an import", responses=responses(NotFound, RoleNotAllowed))
def read_import(_: StaffDep, job_id: UUID, reader: ReadDep) -> Answer[ImportJobRead]:
    """Role: librarian, admin."""
    row = reader.execute(select(ImportJob).where(ImportJob.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(_NO_JOB)
    return answer(ImportJobRead.model_validate(row))


@router.get(
    "/{job_id}/rows",
    summary="List what an import says about rows",
    responses=responses(NotFound, RoleNotAllowed),
)
def list_import_rows(
    _: StaffDep,
    job_id: UUID,
    reader: ReadDep,
    page: PageDep,
    severity: Annotated[Severity | None, Query()] = None,
) -> PageAnswer[ImportRowRead]:
    """ERROR: refused. WARNING: taken with a reservation. Role: librarian, admin. Sort: row."""
    if reader.execute(select(ImportJob.id).where(ImportJob.id == job_id)).one_or_none() is None:
        raise NotFound(_NO_JOB)
    found = select(
        ImportRow.row,
        ImportRow.severity,
        ImportRow.field,
        ImportRow.value,
        ImportRow.code,
        ImportRow.message,
    ).where(ImportRow.job_id == job_id)
    if severity is not None:
        found = found.where(ImportRow.severity == severity)
    sorts = {"row": ImportRow.row.expression}
    statement = ordered(found, page, sorts, default="row", tiebreak=ImportRow.id)
    return paginate(reader, statement, page, ImportRowRead)
