"""Valid requests for every route, from the examples of the generated OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from ops.docs import openapi
from ops.docs.examples import ExampleGenerator


def operations() -> dict[str, dict[str, Any]]:
    """Return every documented operation by "METHOD path", with its request under `request`."""
    document = openapi.document()
    generator = ExampleGenerator(document["components"]["schemas"])
    return {
        route: {**operation, "request": _request(operation, generator)}
        for route, operation in openapi.operations(document)
    }


def _request(operation: dict[str, Any], generator: ExampleGenerator) -> dict[str, Any]:
    """Return path values (ids of nothing that exists), the query, and arguments of the client."""
    request: dict[str, Any] = {"path": {}, "query": {}, "body": {}}
    for parameter in operation.get("parameters", []):
        name, place = parameter["name"], parameter["in"]
        if place in request and parameter.get("required"):
            request[place][name] = generator.example(parameter["schema"], name)
        elif name == "wait":
            request["query"][name] = 0
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [each["value"] for each in content.get("examples", {}).values()]
    if body := content.get("example") or next(iter(examples), None):
        request["body"] = {"json": body}
    return request


def paths_of(routes: Any) -> Iterator[str]:
    """Yield every path of an application, documented or not."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from paths_of(inner.routes)
        else:
            yield route.path
