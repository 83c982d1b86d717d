"""Reduce an OpenAPI document or the event schemas to structure, and compare two structures.

Kept: paths, methods, parameters, fields with type and requiredness, statuses and error codes.
Left out: texts, examples, tags, operation ids and the names of components. A structure maps each
operation or event to its places, and each place ("201.data.book_id") to its properties.
"""

import re
from collections.abc import Iterator
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
LIMITS = ("const", "minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "maxItems")
Places = dict[str, set[str]]
Structure = dict[str, Places]


def _add_schema(places: Places, at: str, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Add a schema's types, enum values and, at places of their own, its fields and items."""
    if "$ref" in schema:
        schema = _resolve(schema["$ref"], document)
    places.setdefault(at, set()).update(_types(schema))
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        _add_schema(places, at, choice, document)
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            _add_schema(places, at + mark, schema[key], document)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        place = f"{at}.{name}"
        places.setdefault(place, set()).add("required" if name in required else "optional")
        _add_schema(places, place, field, document)


def _resolve(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _types(schema: dict[str, Any]) -> Iterator[str]:
    kinds = schema.get("type", [])
    words = [kinds] if isinstance(kinds, str) else list(kinds)
    words += [schema["format"]] if "format" in schema else []
    words += ["enum"] if "enum" in schema else []
    words += [f"{limit}={schema[limit]}" for limit in LIMITS if limit in schema]
    words += ["closed"] if schema.get("additionalProperties") is False else []
    if words:
        yield "/".join(words)
    for value in schema.get("enum", ()):
        yield f"={value}"


def _operation(operation: dict[str, Any], document: dict[str, Any]) -> Places:
    places: Places = {}
    for parameter in operation.get("parameters", ()):
        at = f"{parameter['in']} {parameter['name']}"
        places[at] = {"required" if parameter.get("required") else "optional"}
        _add_schema(places, at, parameter["schema"], document)
    for kind, entry in operation.get("requestBody", {}).get("content", {}).items():
        _add_schema(places, f"body {kind}", entry.get("schema", {}), document)
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if not status.startswith("2"):
            codes = set(re.findall(r"`([A-Z_]+)`", response["description"]))
            places[status] = codes.union(*(entry.get("examples", {}) for entry in content.values()))
            continue
        places[status] = set(content)
        for entry in content.values():
            _add_schema(places, status, entry.get("schema", {}), document)
    return places


def of_api(document: dict[str, Any]) -> Structure:
    """Return the structure of every operation of an OpenAPI document."""
    return {
        f"{method.upper()} {path}": _operation(methods[method], document)
        for path, methods in document["paths"].items()
        for method in METHODS
        if method in methods
    }


def of_events(document: dict[str, Any]) -> Structure:
    """Return the structure of the envelope and of every event's payload."""
    structure: Structure = {}
    for name, schema in {"envelope": document["envelope"], **document["events"]}.items():
        _add_schema(structure.setdefault(name, {}), "payload", schema, document)
    return structure


def differences(first: Structure, now: Structure) -> set[str]:
    """Return what was removed or changed, and what a request must newly contain."""
    found = {f"{name}: removed" for name in first.keys() - now.keys()}
    for name in first.keys() & now.keys():
        for place, properties in first[name].items():
            missing = properties - now[name].get(place, set())
            if place not in now[name] or missing:
                found.add(f"{name}: {place}: {' '.join(sorted(missing)) or 'removed'}")
        for place in now[name].keys() - first[name].keys():
            response = place[0].isdigit() or place.startswith("payload")
            if not response and "required" in now[name][place]:
                found.add(f"{name}: {place}: newly required")
    return found


def load(tree: dict[str, Any]) -> Structure:
    """Read a stored structure, whose places are nested by their dots to keep it short."""
    return {name: dict(_flat(node, "")) for name, node in tree.items()}


def _flat(node: dict[str, Any], prefix: str) -> Iterator[tuple[str, set[str]]]:
    for step, inner in node.items():
        if step == "":
            yield prefix, set(inner.split())
        elif isinstance(inner, str):
            yield f"{prefix}.{step}".lstrip("."), set(inner.split())
        else:
            yield from _flat(inner, f"{prefix}.{step}".lstrip("."))
