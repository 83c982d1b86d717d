"""Endpoints of the system as a whole: its health and the API documentation."""

from functools import cache
from importlib import resources
from pathlib import Path

from fastapi import Response
from sqlalchemy.exc import SQLAlchemyError

from backend.auth.schemas.system_health import HealthRead
from backend.auth.service import system_health
from backend.shared.errors import NotFound
from backend.shared.infra import async_database, redis
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses

router = routing.router("", "services", base="")
OPENAPI = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
_SWAGGER_UI = "fastapi_swagger.resources"  # bundled, so that the page needs no other site
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>LUNA</title><style>{style}</style></head>
<body><div id="api"></div><script>{script}</script>
<script>SwaggerUIBundle({{url: "/api/v1/openapi.json", dom_id: "#api", deepLinking: true}})</script>
</body></html>"""
_PAGE_SECURITY = (
    "default-src 'none'; connect-src 'self'; img-src data:; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@cache
def _page() -> str:
    files = resources.files(_SWAGGER_UI)
    return _PAGE.format(
        style=files.joinpath("swagger-ui.css").read_text("utf-8"),
        script=files.joinpath("swagger-ui-bundle.js").read_text("utf-8"),
    )


async def _redis_responds() -> bool:
    with redis.suppress_errors():
        return bool(await redis.async_client().ping())
    return False


@router.get("/health", summary="Get the system health")
async def get_system_health() -> Answer[HealthRead]:
    """Return the state of every component; always 200, see `whole`. Role: none needed."""
    try:
        components, watchdog = await async_database.run(system_health.read)
    except (SQLAlchemyError, OSError):
        components, watchdog = system_health.unknown()
        database = False
    else:
        database = True
    redis_up = await _redis_responds()
    return answer(system_health.summarize(components, watchdog, database=database, redis=redis_up))


@router.get(
    "/api/v1/openapi.json",
    summary="Get the OpenAPI document",
    response_class=Response,
    responses={
        **responses(NotFound),
        200: {"content": {"application/json": {"example": {"openapi": "3.1.0", "paths": {}}}}},
    },
)
def get_openapi_document() -> Response:
    """Return the OpenAPI 3.1 document of all services. Role: none needed.

    Outside the envelope.
    """
    try:
        document = OPENAPI.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(
            "OpenAPI document not found: it is not part of this installation."
        ) from error
    return Response(document, media_type="application/json")


@router.get(
    "/api/v1/docs",
    summary="Get the API documentation page",
    response_class=Response,
    responses={200: {"content": {"text/html": {"example": "<!DOCTYPE html>…"}}}},
)
def get_docs_page() -> Response:
    """Return Swagger UI over the OpenAPI document. Role: none needed."""
    headers = {
        "Content-Security-Policy": _PAGE_SECURITY,
        "Cache-Control": "public, max-age=3600",
    }
    return Response(_page(), media_type="text/html", headers=headers)
