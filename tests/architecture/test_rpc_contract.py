"""The RPC contract: generated code is fresh, buf accepts it, and buf notices what breaks it."""

import shutil
from pathlib import Path

import pytest

from backend.shared.proto.gen.luna.v1 import library_pb, user_pb
from ops.rpc import contract


def test_generated_code_is_what_the_proto_files_give() -> None:
    assert contract.stale_files() == [], "run ./luna generate"


def test_contract_has_the_style_of_buf() -> None:
    assert contract.lint() == ""


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("string isbn = 2;", "string isbn = 20;", "field"),
        ("rpc GetBook(GetBookRequest)", "rpc ReadBook(GetBookRequest)", "ReadBook"),
        ("int32 copies_total = 13;", "string copies_total = 13;", "type"),
    ],
)
def test_incompatible_change_is_reported(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    older = Path(shutil.copytree(contract.FOLDER, tmp_path / "proto"))
    file = older / "luna" / "v1" / "library.proto"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")
    assert problem in contract.breaking_against(str(older))


def test_contract_is_compatible_with_itself_and_the_last_release() -> None:
    assert contract.breaking_against(str(contract.FOLDER)) == ""
    assert contract.breaking() == ""


def test_timestamps_have_their_numbers() -> None:
    numbers = {"created_at": 98, "updated_at": 99}
    found = {
        (field.name, field.number)
        for file in (library_pb.desc(), user_pb.desc())
        for message in file.messages
        for field in message.fields
        if field.name in numbers
    }
    assert found == set(numbers.items())
