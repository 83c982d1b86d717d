"""Requests that could be meant, made from what the OpenAPI documents say."""

from collections.abc import Iterator
from typing import Any

from backend.shared.infra import ids

_METHODS = ("get", "post", "put", "patch", "delete")
_SERVICES = ("auth", "book", "delivery", "robot", "notification")


def apps() -> dict[str, Any]:
    """The five services' apps by name."""
    import importlib

    return {name: importlib.import_module(f"backend.{name}.main").app for name in _SERVICES}


def operations() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every documented route as "METHOD path", with its operation and its document."""
    for app in apps().values():
        document = app.openapi()
        for path, methods in document["paths"].items():
            for method in _METHODS:
                if method in methods:
                    yield f"{method.upper()} {path}", methods[method], document


def paths_of(routes: Any) -> Iterator[str]:
    """Every path that an app answers, documented or not."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from paths_of(inner.routes)
        else:
            yield route.path


def value_of(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """Some value of this schema: its example, or the plainest one."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return value_of(document["components"]["schemas"][name], document)
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if "anyOf" in schema:
        return value_of(schema["anyOf"][0], document)
    if schema.get("type") == "object":
        needed = schema.get("required", [])
        return {name: value_of(schema["properties"][name], document) for name in needed}
    return _plain(schema)


def _plain(schema: dict[str, Any]) -> Any:
    if schema.get("format") == "uuid":
        return str(ids.uuid7())
    plain: dict[str, Any] = {"integer": 1, "number": 0.5, "boolean": False, "array": []}
    return plain.get(schema.get("type", "string"), "something")


def request_of(
    operation: dict[str, Any], document: dict[str, Any]
) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """Path values (ids that nothing has), the query, and the body as the client takes it."""
    path: dict[str, str] = {}
    query: dict[str, Any] = {}
    for parameter in operation.get("parameters", []):
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            path[name] = str(value_of(schema, document))
        elif parameter["in"] == "query" and parameter.get("required"):
            query[name] = value_of(schema, document)
        elif name == "wait":
            query[name] = 0
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = content["application/json"]
        example = body.get("example") or next(
            (each["value"] for each in body.get("examples", {}).values()), None
        )
        return path, query, {"json": example or value_of(body["schema"], document)}
    return path, query, {}
