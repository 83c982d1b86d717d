"""Values that no client should send, in every field, query, path and header of every route.

No answer is a server error, and each has a status that the document names for its route.
"""

import json
import os
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from ops.docs import openapi
from tests.api.contract import filled_library
from tests.api.contract.filled_library import FilledLibrary
from tests.authorization import openapi_requests
from tests.factories import users
from tests.scenario import check_invariants

CALLS = int(os.environ.get("LUNA_TEST_CALLS", "1500")) // 2  # `./luna test all` tries all
SEED = int(os.environ.get("LUNA_TEST_SEED", str(random.getrandbits(32))))
_TIMES = (
    *("0001-01-01T00:00:00+16:13", "9999-12-31T23:59:59-23:59", "2026-02-30", "1e400"),
    *("2026-11-21T12:00:00+24:00", "-1", "253402300800", "2026-11-21T24:00:00Z"),
)
_TEXTS = (
    *("", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202e\ufeff", "ﬃ" * 1024, "x" * 70_000),
    *("%00", "'; DROP TABLE books; --", "\r\nX-Injected: 1", "../../etc/passwd", "İİıſ", "null"),
)
# As JSON texts: Python's own encoder would refuse to write some of them.
_JSON = (
    *("null", "true", "-1", "0", "1e400", "-1e400", "1.5", "NaN", "-Infinity", "9" * 400, "[]"),
    *(
        "{}",
        "[null]",
        '[{"a": [[[]]]}]',
        "[" * 200 + "]" * 200,
        '{"a": {"a": NaN}}',
        '{"\\u0000": 1}',
    ),
    *(json.dumps(each) for each in (*_TIMES, *_TEXTS)),
)
_BODIES: tuple[tuple[bytes, str], ...] = (
    *((body, "application/json") for body in (b"", b"{", b"[]", b'""', b"NaN", b"\xff\xfe{}")),
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 50_000, "application/json"),
    ("{}".encode("utf-16"), "application/json; charset=utf-16"),
    (b"\xef\xbb\xbf{}", "application/json"),
    (b"{}", "text/plain"),
    (b"a=1", "application/x-www-form-urlencoded"),
    (b"--x\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\n", "multipart/form-data"),
    (b"\x1f\x8b\x08", "application/json"),
    (b"{}", "application/problem+json; charset=\xff"),
)
_HEADERS: tuple[tuple[str, bytes], ...] = (
    *(("If-Match", each) for each in (b"", b"*", b'"', b"W/\xff", b'"a", "b"', b"x" * 5000)),
    *(
        ("Idempotency-Key", each)
        for each in (b"", b" ", b"k" * 5000, b"\xff\x00".replace(b"\0", b""))
    ),
    *(
        ("Authorization", each)
        for each in (b"", b"Bearer", b"Bearer ", b"Basic \xff", b"Bearer a.b.c")
    ),
    *(("Accept", each) for each in (b"", b"text/csv", b"\xff")),
    *(("X-Request-ID", each) for each in (b"req_", b"\xe2\x80\xae", b"req_" + b"a" * 4000)),
    ("Range", b"bytes=0-18446744073709551616"),
    ("Content-Length", b"-1"),
    ("Last-Event-ID", b"\xff"),
)
_SEGMENTS = ("%00", "nothing", "%F0%28%8C", "x" * 3000, "%2e%2e", "%E2%80%AE", "-1", "0" * 32)
Call = tuple[str, dict[str, Any]]  # what is odd about it, the arguments of the client


def _with_odd_field(body: Any, odd: str) -> Iterator[str]:
    """Yield the JSON of a body with each of its values in turn replaced by a JSON text."""
    items = body.items() if isinstance(body, dict) else enumerate(body)
    for key, value in items:
        changed = body.copy()
        changed[key] = "@odd@"
        yield json.dumps(changed).replace('"@odd@"', odd, 1)
        if isinstance(value, dict | list):
            changed[key] = "@inner@"
            outer = json.dumps(changed)
            for inner in _with_odd_field(value, odd):
                yield outer.replace('"@inner@"', inner, 1)


def _optional_fields(operation: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """Return the names of the fields of a body that its schema knows, at the first level."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    options = [schema, *schema.get("anyOf", []), *schema.get("oneOf", [])]
    return {name for option in options for name in option.get("properties", {})}


def _odd_bodies(body: Any, names: set[str]) -> Iterator[Call]:
    json_type = {"Content-Type": "application/json"}
    wider = [{**body, name: None} for name in sorted(names - set(body))]
    for odd in _JSON:
        changed = _with_odd_field(body, odd)
        added = (json.dumps(each)[: -len("null}")] + odd + "}" for each in wider)
        for content in (*changed, *added):
            yield content, {"content": content, "headers": json_type}
    once = json.dumps(body)
    twice = once[:-1] + ", " + once[1:] if body else '{"a": 1, "a": 2}'
    yield "keys twice", {"content": twice, "headers": json_type}
    for raw, kind in _BODIES:
        headers = {"Content-Type": kind.encode("latin-1")}
        yield f"{kind} {raw[:40]!r}", {"content": raw, "headers": headers}
    yield "chunks", {"content": iter([b"{", b'"a"', b": 1}"]), "headers": json_type}


def _odd_parameters(parameter: dict[str, Any]) -> Iterator[Call]:
    name = parameter["name"]
    if parameter["in"] == "query":
        for value in (*_TIMES, *_TEXTS[:8], "9" * 400, "NaN", "true", "[]"):
            text = quote(value.encode(errors="surrogatepass"))
            yield f"?{name}={text[:100]}", {"params": f"{name}={text}&{name}={text}"}
    elif parameter["in"] == "path":
        for segment in _SEGMENTS:
            yield f"{name}: {segment[:100]}", {"path": {name: segment}}


def _odd_calls(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Call]:
    """Yield calls of one route, each odd in one place."""
    request = operation["request"]
    sound = {"params": request["query"], **request["body"]}
    if "json" in request["body"]:
        names = _optional_fields(operation, schemas)
        for odd, options in _odd_bodies(request["body"]["json"], names):
            yield odd, {"params": request["query"], **options}
    for parameter in operation.get("parameters", []):
        for odd, options in _odd_parameters(parameter):
            yield odd, {**sound, **options}
    for header, content in _HEADERS:
        yield f"{header}: {content[:40]!r}", {**sound, "headers": {header: content}}


def _problem(operation: dict[str, Any], answered: Any) -> str | None:
    if answered.status_code >= 500 or str(answered.status_code) not in operation["responses"]:
        return f"{answered.status_code} {answered.text[:200]}"
    return None


def _call(library: FilledLibrary, route: str, options: dict[str, Any]) -> Any:
    options = dict(options)
    method, template = route.split(" ")
    for name, value in options.pop("path", {}).items():
        template = template.replace(f"{{{name}}}", value)
    return library.call(f"{method} {template}", **options)


@pytest.fixture
def library(api: Any) -> FilledLibrary:
    return filled_library.fill(api)


def test_odd_values_cause_no_server_error_and_no_undocumented_status(
    library: FilledLibrary, owner: Engine
) -> None:
    print(f"LUNA_TEST_SEED={SEED}")  # noqa: T201 (pytest shows it when the test fails)
    routes, schemas = openapi_requests.operations(), openapi.document()["components"]["schemas"]
    calls = [
        (route, odd, options)
        for route, operation in routes.items()
        for odd, options in _odd_calls(operation, schemas)
    ]
    chosen = random.Random(SEED).sample(calls, min(CALLS, len(calls)))
    chosen.sort(key=lambda call: (call[0].startswith("DELETE"), call[0]))
    problems: dict[str, str] = {}
    before = ""
    for route, odd, options in chosen:
        if route != before or "/auth/" in route:  # the one before may have ended their session
            library.admin, before = users.admin(), route
        answered = _call(library, route, options)
        problem = _problem(routes[route], answered)
        if problem is not None:
            problems.setdefault(f"{route} {problem[:3]}", f"{odd[:300]!r} -> {problem}")
    assert not problems, "\n".join(f"{key}: {what}" for key, what in problems.items())
    check_invariants(owner)
