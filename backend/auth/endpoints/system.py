"""Routes of the address as a whole: its health and the documentation of all services."""

from functools import cache
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from backend.auth.schemas.system_health import HealthRead
from backend.auth.service import system_health
from backend.shared.errors import NotFound
from backend.shared.infra import async_database, redis
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses

router = APIRouter(route_class=routing.LunaRoute)
OPENAPI = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
_PROGRAM = "fastapi_swagger.resources"  # Swagger UI's files, so that the page needs no other site
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>LUNA</title><style>{style}</style></head>
<body><div id="api"></div><script>{program}</script>
<script>SwaggerUIBundle({{url: "/api/v1/openapi.json", dom_id: "#api", deepLinking: true}})</script>
</body></html>"""
_PAGE_SECURITY = (
    "default-src 'none'; connect-src 'self'; img-src data:; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def _page() -> str:
    files = resources.files(_PROGRAM)
    return _PAGE.format(
        style=files.joinpath("swagger-ui.css").read_text("utf-8"),
        program=files.joinpath("swagger-ui-bundle.js").read_text("utf-8"),
    )


async def _redis_answers() -> bool:
    with redis.guarded():
        return bool(await redis.async_client().ping())
    return False


@router.get("/health", summary="Is the system whole, part by part?", tags=["system"])
async def read_health() -> Answer[HealthRead]:
    """Always 200; `whole` tells. Role: none needed."""
    try:
        parts, watchdog = await async_database.run(system_health.judge)
    except (SQLAlchemyError, OSError):
        parts, watchdog = system_health.unknown()
        database = False
    else:
        database = True
    redis_answers = await _redis_answers()
    return answer(system_health.summed_up(parts, watchdog, database=database, redis=redis_answers))


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
    headers = {
        "Content-Security-Policy": _PAGE_SECURITY,
        "Cache-Control": "public, max-age=3600",
    }
    return Response(_page(), media_type="text/html", headers=headers)
