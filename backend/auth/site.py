"""Routes of the address as a whole: its health and the documentation of all services."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html
from sqlalchemy.exc import SQLAlchemyError

from backend.auth import wholeness
from backend.auth.schemas import HealthRead
from backend.shared import fastlane, http, redis
from backend.shared.errors import NotFound
from backend.shared.http import responses
from backend.shared.schemas import Answer, answer

router = APIRouter(route_class=http.LunaRoute)
OPENAPI = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
# The page takes its program from a public address, since no package that we lock ships it.
_PAGE_SECURITY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def _redis_answers() -> bool:
    with redis.guarded():
        return bool(await redis.async_client().ping())
    return False


@router.get("/health", summary="Is the system whole, part by part?", tags=["system"])
async def read_health() -> Answer[HealthRead]:
    """Always 200; `whole` tells. Role: none needed."""
    try:
        parts, watchdog = await fastlane.run(wholeness.judge)
    except (SQLAlchemyError, OSError):
        parts, watchdog = wholeness.unknown()
        database = False
    else:
        database = True
    redis_answers = await _redis_answers()
    return answer(wholeness.summed_up(parts, watchdog, database=database, redis=redis_answers))


@router.get(
    "/api/v1/openapi.json",
    summary="The API of all services in one document",
    tags=["system"],
    response_class=Response,
    responses={
        **responses(NotFound),
        200: {"content": {"application/json": {"example": {"openapi": "3.1.0", "paths": {}}}}},
    },
)
def read_openapi() -> Response:
    """OpenAPI 3.1, outside the envelope. Role: none needed."""
    try:
        document = OPENAPI.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("The document has not been generated here.") from error
    return Response(document, media_type="application/json")


@router.get(
    "/api/v1/docs",
    summary="A page to read and try the API",
    tags=["system"],
    response_class=Response,
    responses={200: {"content": {"text/html": {"example": "<!DOCTYPE html>…"}}}},
)
def read_docs() -> Response:
    """Swagger UI over the merged document. Role: none needed."""
    page = get_swagger_ui_html(openapi_url="/api/v1/openapi.json", title="LUNA")
    page.headers["Content-Security-Policy"] = _PAGE_SECURITY
    return page
