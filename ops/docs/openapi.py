"""Generate documents from the code: `python -m ops.docs.openapi`.

`docs/openapi.json` holds the API of all services in one OpenAPI 3.1 document; `ops.docs.docs_pages`
renders the others.
"""

import importlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from backend.notification.live import sockets
from backend.notification.schemas import live_view
from backend.shared import errors
from backend.shared.errors import LunaError
from backend.shared.infra.services import SERVICES
from ops.docs import docs_pages
from ops.docs.examples import ExampleGenerator
from ops.home import ROOT

METHODS = ("get", "post", "put", "patch", "delete")
TAGS = {
    "accounts": "Accounts and profiles.",
    "users": "Accounts as administrators manage them, members, the audit log.",
    "oidc": "Campus sign-in by OpenID Connect.",
    "second-factor": "My second factor: codes of an authenticator app, recovery codes.",
    "service-keys": "Keys of machines, with the calls that each may make.",
    "passwords": "Forgotten, reset and changed passwords, verified addresses.",
    "sessions": "Log in, refresh, log out, and the public keys.",
    "books": "The catalogue: titles.",
    "copies": "The volumes of a title.",
    "imports": "Titles from a file, as a job in the background.",
    "loans": "What members have borrowed; the desk, and the rules of loans.",
    "holds": "Queues for books with no free copy.",
    "requests": "A robot brings a book to a member.",
    "returns": "A robot fetches a borrowed book from a member.",
    "deliveries": "Delivery tasks, as staff handle them.",
    "alerts": "What needs a person: one alert for each fault.",
    "robots": "Robots, their status, task queue, keys and errors.",
    "emergency-stops": "Stop and resume robots.",
    "waypoints": "Named places on the map.",
    "maps": "Waypoints, edges and floor plans as one document.",
    "bridges": "Endpoints for the bridge of a robot; its key is the bearer token.",
    "notifications": "Notifications of the caller.",
    "live-view": "Tickets for the WebSocket of the live view.",
    "services": "Health of the system and the API documents.",
}
_DESCRIPTION = """\
Every response is JSON in one of three envelopes: success with `data`, success with a list and its
`pagination`, or an `error` with its `code`, a `message` for people, and `details`.

Each description names the required role: “all” is every authenticated user, “own” is the owner of
the resource, “none” requires no token. Admins have every right of librarians.

Lists accept `page`, `limit` (1 to 100), `sort` and `order`. A POST that creates a resource accepts
`Idempotency-Key`; a single resource has an `ETag`, and a PUT honours `If-Match`.

docs/architecture.md describes the WebSocket `/api/v1/notifications/ws`, docs/events.md the events;
its messages are the schemas `LiveClientMessage` and `LiveMessage`.
"""
# Errors that any route may return besides those it declares.
_SIGNED_IN: tuple[type[LunaError], ...] = (
    errors.NotSignedIn,
    errors.TokenExpired,
    errors.TokenRevoked,
    errors.RoleNotAllowed,
    errors.AccountInactive,
)
_WITH_BODY = (errors.MalformedJson, errors.PayloadTooLarge, errors.UnsupportedMediaType)
_WITH_HEADER: dict[str, tuple[type[LunaError], ...]] = {
    "Idempotency-Key": (errors.IdempotencyKeyReused,),
    "If-Match": (errors.StaleVersion,),
}
_ALWAYS = (errors.Invalid, errors.RateLimited, LunaError, errors.ServiceUnavailable)


def apps() -> dict[str, Any]:
    """Return the five applications by name. Importing them reads settings; no server is needed."""
    os.environ.setdefault("LUNA_DATABASE_URL", "postgresql+psycopg2:///luna")
    os.environ.setdefault("LUNA_REDIS_URL", "unix:///nowhere")
    return {name: importlib.import_module(f"backend.{name}.main").app for name in SERVICES}


def document() -> dict[str, Any]:
    """Return the merged document; equal at each call."""
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "LUNA",
            "version": "v1",
            "summary": "A university library whose books travel by robot",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The one public address"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": {}, "examples": _error_examples()},
    }
    for name, app in apps().items():
        _add(merged, _with_own_names(app.openapi(), name, merged["components"]["schemas"]))
    schemes = merged["components"]["securitySchemes"]
    for route, operation in operations(merged):
        if not route.startswith("GET"):
            _add_errors(operation, _WITH_BODY)
        _complete(operation, ExampleGenerator(merged["components"]["schemas"]), schemes)
    merged["components"]["schemas"].update(_live_schemas())
    merged["paths"] = dict(sorted(merged["paths"].items()))
    return merged


def _live_schemas() -> dict[str, Any]:
    """Return the schemas of the messages on the WebSocket, which no operation has."""
    sent: tuple[type[BaseModel], ...] = (sockets.Subscribe, sockets.Unsubscribe, sockets.Ping)
    schemas: dict[str, Any] = {
        f"Live{model.__name__}": model.model_json_schema() | {"title": f"Live{model.__name__}"}
        for model in sent
    }
    references = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    schemas["LiveClientMessage"] = {"title": "LiveClientMessage", "oneOf": references}
    schemas["LiveMessage"] = live_view.LiveMessage.model_json_schema(mode="serialization")
    return schemas


def operations(merged: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation as ("METHOD path", operation)."""
    for path, methods in merged["paths"].items():
        for method in METHODS:
            if method in methods:
                yield f"{method.upper()} {path}", methods[method]


def _with_own_names(
    document: dict[str, Any], service: str, known: dict[str, Any]
) -> dict[str, Any]:
    """Rename each schema whose name another service uses for a different schema."""
    own = document.get("components", {}).get("schemas", {})
    text = json.dumps(document)
    for name in own:
        if name in known and known[name] != own[name]:
            new = f"{service.capitalize()}{name}"
            text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{new}"')
            text = text.replace(f'"{name}": {{', f'"{new}": {{')
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def _add(merged: dict[str, Any], document: dict[str, Any]) -> None:
    merged["paths"].update(document["paths"])
    for kind, entries in document.get("components", {}).items():
        merged["components"].setdefault(kind, {}).update(entries)


def _error_examples() -> dict[str, Any]:
    """Return one example response per error code, referenced by the operations."""
    return {
        kind.code: {
            "value": {
                "success": False,
                "error": {"code": kind.code, "message": docs_pages.message_of(kind), "details": {}},
                "meta": {"timestamp": "2026-01-15T10:30:00.000Z", "request_id": "req_019bc0de"},
            },
        }
        for kind in docs_pages.error_kinds()
    }


def _complete(
    operation: dict[str, Any], generator: ExampleGenerator, schemes: dict[str, Any]
) -> None:
    """Add the errors common to all routes, and examples where none are given."""
    if operation.get("security"):
        _add_errors(operation, _SIGNED_IN)
        operation["security"] = [{name: []} for name in schemes]
    _add_errors(operation, _ALWAYS)
    for parameter in operation.get("parameters", []):
        _add_errors(operation, _WITH_HEADER.get(parameter["name"], ()))
    contents = [operation.get("requestBody", {}).get("content", {})]
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            contents.append(response.get("content", {}))
        else:
            _show_codes(response)
    for content in contents:
        for entry in content.values():
            if not {"example", "examples"} & entry.keys() and entry.get("schema"):
                entry["example"] = generator.example(entry["schema"])
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _add_errors(operation: dict[str, Any], kinds: tuple[type[LunaError], ...]) -> None:
    for kind in kinds:
        response = operation["responses"].setdefault(str(kind.status), {"description": ""})
        if f"`{kind.code}`" not in response["description"]:
            entry = f"`{kind.code}`: {kind.message}"
            response["description"] = "; ".join(filter(None, [response["description"], entry]))


def _show_codes(response: dict[str, Any]) -> None:
    codes = re.findall(r"`([A-Z_]+)`", response["description"])
    response["content"] = {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Failure"},
            "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
        }
    }


def generated() -> dict[str, str]:
    """Return every generated document by its path in the project."""
    return {
        "docs/openapi.json": json.dumps(document(), indent=1, ensure_ascii=False) + "\n",
        "docs/events.json": json.dumps(docs_pages.event_schemas(), indent=1) + "\n",
        "docs/events.md": docs_pages.events_page(),
        "docs/errors.md": docs_pages.errors_page(),
    }


def stale() -> list[str]:
    """Return the paths of generated documents that are out of date."""
    return [
        place
        for place, text in generated().items()
        if not (ROOT / place).exists() or (ROOT / place).read_text(encoding="utf-8") != text
    ]


def main() -> None:
    for place, text in generated().items():
        (ROOT / place).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
