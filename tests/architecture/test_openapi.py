"""The OpenAPI document is complete: summary, role, examples and errors of each operation."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ops.docs import openapi

ROLE = re.compile(r"\bRoles?: (none|any|anyone|all|own|student|librarian|admin|robot)\b")
LINK = re.compile(r'"\$ref": "#/components/([^"]+)"')


@cache
def _document() -> dict[str, Any]:
    return openapi.document()


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    return openapi.operations(_document())


def _without(what: str) -> list[str]:
    return [route for route, operation in _operations() if not operation.get(what)]


def test_generated_documents_are_those_of_the_code() -> None:
    assert openapi.stale() == [], "./luna fix regenerates them"


def test_every_operation_has_a_summary_a_description_and_a_known_tag() -> None:
    assert _without("summary") == []
    assert _without("description") == []
    used = {tag for _, operation in _operations() for tag in operation["tags"]}
    assert used == openapi.TAGS.keys()


def test_operation_ids_are_unique_and_readable() -> None:
    ids = [operation["operationId"] for _, operation in _operations()]
    assert len(ids) == len(set(ids))
    assert [each for each in ids if not re.match(r"^[a-z_]+$", each)] == []


def test_every_operation_states_its_role() -> None:
    silent = [
        route for route, operation in _operations() if not ROLE.search(operation["description"])
    ]
    assert silent == []


def _examples() -> Iterator[tuple[str, Any, Any]]:
    """Yield (place, schema, example) of every request body and success response."""
    for route, operation in _operations():
        successes = {
            status: response
            for status, response in operation["responses"].items()
            if status.startswith("2")
        }
        for place, holder in {"body": operation.get("requestBody", {}), **successes}.items():
            for kind, content in holder.get("content", {}).items():
                found = [each["value"] for each in content.get("examples", {}).values()]
                for example in [*found, *([content["example"]] if "example" in content else [])]:
                    yield f"{route} {place} {kind}", content.get("schema"), example


def test_every_operation_has_an_example() -> None:
    shown = {where.rpartition(" ")[0] for where, _, _ in _examples()}
    for route, operation in _operations():
        success = next(status for status in operation["responses"] if status < "4")
        assert success == "302" or f"{route} {success}" in shown  # a redirect has no body
        assert "requestBody" not in operation or f"{route} body" in shown


def test_every_example_satisfies_its_schema() -> None:
    document = DRAFT202012.create_resource(_document())
    registry: Registry[Any] = Registry().with_resource("luna:api", document)
    for where, schema, example in _examples():
        if schema:
            absolute = json.loads(
                json.dumps(schema).replace('"#/components', '"luna:api#/components')
            )
            validator = Draft202012Validator(absolute, registry=registry)
            assert [error.message for error in validator.iter_errors(example)] == [], where


def test_every_operation_declares_its_errors() -> None:
    for route, operation in _operations():
        told = set(operation["responses"])
        assert {"422", "429", "500", "503"} <= told, route
        if operation.get("security"):
            assert {"401", "403"} <= told, route
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= told, route
        if route.endswith("}") and operation.get("security"):
            assert "404" in told, route
        for status, response in operation["responses"].items():
            if status >= "4":
                assert response["content"]["application/json"]["examples"], f"{route} {status}"


def test_every_reference_resolves() -> None:
    components = _document()["components"]
    for place in set(LINK.findall(json.dumps(_document()))):
        kind, _, name = place.partition("/")
        assert name in components[kind]
