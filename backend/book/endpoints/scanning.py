"""Endpoints of scanned copies: `/api/v1/copies`."""

from typing import Annotated

from fastapi import Path, Response

from backend.book.schemas.scanning import ScannedCopy, StockTakeBody, StockTakeResult
from backend.book.service import scanning
from backend.shared.errors import IdempotencyKeyReused, NotFound, RoleNotAllowed
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.routing import responses
from backend.shared.web.schemas import PlainText
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/copies", "copies")


@router.post(
    "/stock-take",
    summary="Take stock of a shelf",
    response_model=Answer[StockTakeResult],
    responses=responses(IdempotencyKeyReused, RoleNotAllowed),
)
def take_stock(
    actor: StaffDep, body: StockTakeBody, session: SessionDep, idempotency: IdempotencyDep
) -> Response:
    """Compare the barcodes seen at a shelf with what belongs there. Role: librarian, admin.

    Answers misplaced copies, candidates for missing ones and copies found again, which are shelved.
    """
    return idempotency.answer(lambda: scanning.take_stock(session, actor.id, body), status=200)


@router.get(
    "/{barcode}",
    summary="Get a scanned copy",
    responses=responses(NotFound, RoleNotAllowed),
)
def get_scanned_copy(
    _: StaffDep,
    barcode: Annotated[PlainText, Path(max_length=64, examples=["LB000000018"])],
    reader: ReadDep,
    response: Response,
) -> Answer[ScannedCopy]:
    """Return a copy, who has it and what can be done with it now. Role: librarian, admin."""
    scanned = scanning.scan(reader, barcode.upper())
    return etags.tagged(response, scanned, scanned.copy_.version)
