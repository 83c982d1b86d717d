"""Endpoints of imports: `/api/v1/books/bulk-import`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from backend.book import dependencies, queries
from backend.book.dependencies import MATCHING_IMPORT, ImportIdempotencyDep, UploadDep
from backend.book.imports import export, format_detection, jobs, undo
from backend.book.schemas.imports import (
    ImportAccepted,
    ImportJobRead,
    ImportRowRead,
    ImportUndone,
    ReportContent,
)
from backend.shared.errors import (
    IdempotencyKeyReused,
    InvalidStateTransition,
    MalformedJson,
    NotFound,
    PayloadTooLarge,
    RoleNotAllowed,
    StaleVersion,
    UnsupportedMediaType,
)
from backend.shared.infra import config
from backend.shared.models import ImportJob, ImportRow, Severity
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/books/bulk-import", "imports")
_REPORT: dict[str, Any] = {
    "schema": {"type": "string"},
    "example": "row,severity,field,value,code,message\r\n"
    "7,WARNING,isbn,,ISBN_MISSING,The row has no ISBN.\r\n",
}
_REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "A catalogue"},
                    "format": {"type": "string", "enum": list(format_detection.FORMATS)},
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


@router.post(
    "",
    summary="Import books",
    status_code=202,
    response_model=Answer[ImportAccepted],
    max_body_size=config.http().max_import_bytes,
    responses=responses(
        IdempotencyKeyReused, MalformedJson, PayloadTooLarge, UnsupportedMediaType, RoleNotAllowed
    ),
    openapi_extra={"requestBody": _REQUEST_BODY},
)
def import_books(
    actor: StaffDep, session: SessionDep, idempotency: ImportIdempotencyDep, given: UploadDep
) -> Response:
    """Queue a background import of up to 64 MiB. Role: librarian, admin.

    Each invalid row is reported; the others are imported.
    """
    upload, dry_run = given
    return idempotency.answer(
        lambda: ImportAccepted(job_id=jobs.queue(session, actor.id, upload, dry_run=dry_run).id),
        location=lambda accepted: f"/api/v1/books/bulk-import/{accepted.job_id}",
        status=202,
    )


@router.get("", summary="List imports", responses=responses(RoleNotAllowed))
def list_imports(_: StaffDep, reader: ReadDep, page: PageDep) -> PageAnswer[ImportJobRead]:
    """Return the jobs, newest first. Role: librarian, admin. Sort: created_at."""
    statement = ordered(
        queries.import_jobs(),
        page,
        queries.IMPORT_SORTS,
        default="-created_at",
        tiebreak=ImportJob.id,
    )
    return paginate(reader, statement, page, ImportJobRead)


@router.get("/{job_id}", summary="Get an import", responses=responses(NotFound, RoleNotAllowed))
def get_import(
    _: StaffDep, job_id: UUID, reader: ReadDep, response: Response
) -> Answer[ImportJobRead]:
    """Return state and progress of a job, with its `ETag`. Role: librarian, admin."""
    job = dependencies.import_job(reader, job_id)
    return etags.tagged(response, job, job)


@router.put(
    "/{job_id}/cancel",
    summary="Cancel an import",
    dependencies=[MATCHING_IMPORT],
    responses=responses(NotFound, InvalidStateTransition, StaleVersion, RoleNotAllowed),
)
def cancel_import(
    actor: StaffDep, job_id: UUID, session: SessionDep, response: Response
) -> Answer[ImportJobRead]:
    """Stop a job between two batches; rows imported so far remain. Role: librarian, admin."""
    jobs.cancel(session, actor.id, job_id)
    session.flush()
    job = dependencies.import_job(session, job_id)
    return etags.tagged(response, job, job)


@router.post(
    "/{job_id}/undo",
    summary="Undo an import",
    responses=responses(NotFound, InvalidStateTransition, RoleNotAllowed),
)
def undo_import(actor: StaffDep, job_id: UUID, session: SessionDep) -> Answer[ImportUndone]:
    """Withdraw the titles it created and restore those it changed. Role: librarian, admin.

    Titles that were changed since, or of which a copy is in use, stay and are listed.
    """
    return answer(ImportUndone(kept=undo.undo(session, actor.id, job_id)))


@router.get(
    "/{job_id}/report",
    summary="Download the row issues of an import",
    response_class=Response,
    responses={**responses(NotFound, RoleNotAllowed), 200: {"content": {"text/csv": _REPORT}}},
)
def download_report(
    _: StaffDep,
    job_id: UUID,
    reader: ReadDep,
    content: Annotated[
        ReportContent,
        Query(description="`rows`: the refused rows as uploaded, each with its codes and messages"),
    ] = ReportContent.ISSUES,
) -> Response:
    """Return the row issues as CSV, or the refused rows to correct. Role: librarian, admin.

    The corrected rows can be imported as they are. A row that could not be read is not kept.
    """
    dependencies.import_job(reader, job_id)
    if content is ReportContent.ROWS:
        report = export.refused_rows(reader.execute(queries.refused_rows(job_id)).all())
    else:
        rows = reader.execute(
            queries.import_rows(job_id, None).order_by(ImportRow.row, ImportRow.id)
        )
        report = export.table(ImportRowRead.model_fields, rows.mappings())
    name = f'attachment; filename="import-{job_id}.csv"'
    headers = {"Content-Disposition": name}
    return Response(report, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(
    "/{job_id}/rows",
    summary="List row issues of an import",
    responses=responses(NotFound, RoleNotAllowed),
)
def list_import_rows(
    _: StaffDep,
    job_id: UUID,
    reader: ReadDep,
    page: PageDep,
    severity: Annotated[Severity | None, Query()] = None,
) -> PageAnswer[ImportRowRead]:
    """Return the issues of rows. Role: librarian, admin. Sort: row.

    ERROR: the row was refused. WARNING: it was imported in part or with a correction.
    """
    dependencies.import_job(reader, job_id)
    statement = ordered(
        queries.import_rows(job_id, severity),
        page,
        queries.IMPORT_ROW_SORTS,
        default="row",
        tiebreak=ImportRow.id,
    )
    return paginate(reader, statement, page, ImportRowRead)
