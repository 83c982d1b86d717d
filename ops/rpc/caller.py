"""`luna rpc list` and `luna rpc call`: what the contract offers, and one call of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
from protobuf import DescField, DescMessage, DescMethod, DescService

from backend.shared.proto.gen.luna.v1 import library_connect, library_pb, user_connect, user_pb

_TIMEOUT = 60.0  # seconds
_FILES = (library_pb.desc(), user_pb.desc())
_CLASSES: dict[str, Any] = {
    "luna.v1.LibraryService": library_connect.LibraryService,
    "luna.v1.UserService": user_connect.UserService,
}


def services() -> list[DescService]:
    return [service for file in _FILES for service in file.services]


def method(name: str) -> DescMethod:
    """Return the method `luna.v1.Service/Method`, also without `luna.v1.`; KeyError for another."""
    found = {
        f"{service.type_name}/{each.name}": each
        for service in services()
        for each in service.methods
    }
    return found.get(name) or found[f"luna.v1.{name}"]


def listing(name: str | None = None) -> Iterator[str]:
    """Describe all methods, one line each, or one method with the fields of its messages."""
    if name is not None:
        yield from _description(method(name))
        return
    for service in services():
        yield service.type_name
        for each in service.methods:
            yield f"  {each.name:<20}{_comment(each).splitlines()[0]}"


def _comment(described: DescMethod) -> str:
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", described.name).lower()
    text = getattr(_CLASSES[described.parent.type_name], snake).__doc__ or ""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _description(described: DescMethod) -> Iterator[str]:
    yield f"{described.parent.type_name}/{described.name}"
    yield _comment(described)
    for message in (described.input, described.output):
        yield ""
        yield from _fields(message)


def _fields(message: DescMessage) -> Iterator[str]:
    yield message.type_name
    for field in message.fields:
        yield f"  {field.number:>3}  {field.json_name:<20}{_type(field)}"


def _type(field: DescField) -> str:
    proto = field.proto
    name = proto.type_name.removeprefix(".") or proto.type.name.lower()
    return f"repeated {name}" if proto.label == proto.Label.REPEATED else name


def call(address: str, name: str, message: Any, headers: dict[str, str]) -> tuple[bool, str]:
    """Call a method by Connect's JSON; return whether it succeeded, and the answer."""
    described = method(name)
    answer = httpx.post(
        f"{address}/{described.parent.type_name}/{described.name}",
        json=message,
        headers=headers,
        timeout=_TIMEOUT,
    )
    try:
        text = json.dumps(answer.json(), indent=2, ensure_ascii=False)
    except ValueError:  # of a proxy in between
        text = answer.text
    return answer.is_success, text
