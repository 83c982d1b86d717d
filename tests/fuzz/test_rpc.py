"""RPCs with messages generated from the descriptors: no INTERNAL, and no text of an exception."""

import os
import random
import re
from typing import Any

import pytest

from tests.api.rpc import foreign_stubs
from tests.authorization.test_rpc_access import ALLOWED_CALLERS
from tests.factories import catalogue, users

CALLS = int(os.environ.get("LUNA_TEST_RPC_CALLS", "500"))  # `./luna test all` sets more
SEED = int(os.environ.get("LUNA_TEST_SEED", str(random.getrandbits(32))))
_NUMBERS = [0, 1, -1, 10, 100, 101, 2**31 - 1, -(2**31), 2026]
_TEXTS = [
    *("", " ", "a", "\0", "a\0b", "é", "\U0001f4da", "\u202e", "'; DROP TABLE books; --"),
    *("<script>", "%00", "../..", "x" * 255, "y" * 70_000, "978-0-201-83595-3", "title"),
    *("ada@university.edu", "+90 555 010 0101", '"', "title: (", "-", "\n", "year:9999999999"),
]
_INTERNALS = re.compile(
    r"traceback|exception|psycopg|sqlalchemy|pydantic|protobuf|\bNone\b|object at|line \d",
    re.IGNORECASE,
)
_ANSWERS = {200, 400, 401, 403, 404, 409, 413, 415, 429}


class Generator:
    """Messages with random fields; equal seeds give equal messages."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self.random = random.Random(seed)
        self._ids = ids

    def body(self, rpc: str) -> bytes:
        """Return an encoded message, one in ten with some bytes changed."""
        message = foreign_stubs.messages(rpc)[0]()
        self._fill(message)
        data = bytearray(message.SerializeToString())
        if data and self.random.random() < 0.1:
            for _ in range(self.random.randint(1, 4)):
                data[self.random.randrange(len(data))] = self.random.randrange(256)
        return bytes(data)

    def _fill(self, message: Any) -> None:
        for field in message.DESCRIPTOR.fields:
            if self.random.random() < 0.25:
                continue
            if field.message_type is not None:
                self._fill(getattr(message, field.name))
            elif field.is_repeated:
                values = [self._value(field) for _ in range(self.random.choice([0, 1, 3, 60]))]
                getattr(message, field.name).extend(values)
            else:
                setattr(message, field.name, self._value(field))

    def _value(self, field: Any) -> Any:
        if field.cpp_type == field.CPPTYPE_STRING:
            return self.random.choice(self._ids if self.random.random() < 0.5 else _TEXTS)
        if field.cpp_type == field.CPPTYPE_BOOL:
            return self.random.random() < 0.5
        if field.cpp_type == field.CPPTYPE_ENUM:
            return self.random.choice([0, 1, 2, 3, 4, 5, 99])
        return self.random.choice(_NUMBERS)


@pytest.fixture
def ids(api: Any) -> list[str]:
    """Ids of members and books, and a barcode, so that some calls succeed."""
    books = [catalogue.add_book(copies=2) for _ in range(3)]
    members = [users.student().id for _ in range(3)]
    return [*map(str, books), *map(str, members), f"{books[0].hex[-8:]}-0"]


def test_generated_messages_cause_no_internal_error(api: Any, ids: list[str]) -> None:
    print(f"LUNA_TEST_SEED={SEED}")  # noqa: T201 (pytest shows it when the test fails)
    generator = Generator(SEED, ids)
    headers = {"Content-Type": "application/proto", **users.admin().headers}
    codes: dict[str, int] = {}
    problems = []
    for number in range(CALLS):
        rpc = sorted(ALLOWED_CALLERS)[number % len(ALLOWED_CALLERS)]
        body = generator.body(rpc)
        answer = api.post(f"/{rpc}", content=body, headers=headers)
        code = "ok" if answer.status_code == 200 else answer.json()["code"]
        codes[code] = codes.get(code, 0) + 1
        told = "" if code == "ok" else answer.json().get("message", "")
        if answer.status_code not in _ANSWERS or _INTERNALS.search(told):
            problems.append(f"{rpc}: {answer.status_code} {told[:200]} for {body[:200]!r}")
    assert not problems, "\n".join(problems[:20])
    assert {"ok", "invalid_argument", "not_found"} <= codes.keys()  # the messages are not all alike
