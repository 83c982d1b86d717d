"""The REST contract and the events keep what the first release (commit f7fc6fd) promised.

Additions are free. What is removed or changed is listed here with the words of CHANGELOG.md.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.home import ROOT
from tests.architecture.first_release import contract

FIRST_RELEASE = Path(__file__).parent
# difference → the text in CHANGELOG.md that names it
INTENDED: dict[str, str] = {
    "account.registered: payload.email: required string": "Events about accounts carry ids only",
    "account.registered: payload.first_name: required string": (
        "Events about accounts carry ids only"
    ),
    "POST /api/v1/auth/refresh: body application/json.refresh_token: required": (
        "`refresh_token` may be left out of the body of a refresh"
    ),
}


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _first(name: str) -> contract.Structure:
    return contract.load(_read(FIRST_RELEASE / name))


def _differences() -> set[str]:
    api = contract.of_api(_read(ROOT / "docs" / "openapi.json"))
    events = contract.of_events(_read(ROOT / "docs" / "events.json"))
    found = contract.differences(_first("contract.json"), api)
    return found | contract.differences(_first("events.json"), events)


def test_contract_and_events_keep_the_structure_of_the_first_release() -> None:
    assert sorted(_differences() - INTENDED.keys()) == []


def test_every_intended_difference_exists_and_is_named_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert sorted(INTENDED.keys() - _differences()) == []
    assert [text for text in INTENDED.values() if text not in changelog] == []


TEXT = {"type": "string"}


def _document(fields: dict[str, Any], required: list[str], status: str = "200") -> dict[str, Any]:
    body = {"type": "object", "properties": fields, "required": required}
    schema = {"schema": {"$ref": "#/components/schemas/Any"}}
    operation = {
        "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
        "requestBody": {"content": {"application/json": schema}},
        "responses": {
            status: {"description": "Done", "content": {"application/json": schema}},
            "409": {"description": "`CONFLICT`: Conflict."},
        },
    }
    return {"paths": {"/x": {"post": operation}}, "components": {"schemas": {"Any": body}}}


FIRST = contract.of_api(_document({"name": TEXT, "kind": {"enum": ["A", "B"]}}, ["name"]))


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        (_document({"kind": {"enum": ["A", "B"]}}, []), "POST /x: 200.name: required string"),
        (
            _document({"name": {"type": "integer"}, "kind": {"enum": ["A", "B"]}}, ["name"]),
            "POST /x: 200.name: string",
        ),
        (
            _document({"name": TEXT, "kind": {"enum": ["A"]}}, ["name"]),
            "POST /x: 200.kind: =B",
        ),
        (
            _document({"name": TEXT, "kind": {"enum": ["A", "B"]}, "new": TEXT}, ["name", "new"]),
            "POST /x: body application/json.new: newly required",
        ),
        (
            _document({"name": TEXT, "kind": {"enum": ["A", "B"]}}, ["name"], "201"),
            "POST /x: 200: application/json object",
        ),
        ({"paths": {}}, "POST /x: removed"),
    ],
    ids=["field removed", "type", "enum value", "required field", "status", "path"],
)
def test_comparison_finds_a_breaking_change(changed: dict[str, Any], difference: str) -> None:
    assert difference in contract.differences(FIRST, contract.of_api(changed))


def test_comparison_accepts_an_optional_field_and_a_new_path() -> None:
    fields = {"name": TEXT, "kind": {"enum": ["A", "B", "C"]}, "new": TEXT}
    changed = _document(fields, ["name"])
    changed["paths"]["/y"] = changed["paths"]["/x"]
    assert contract.differences(FIRST, contract.of_api(changed)) == set()


def test_comparison_finds_a_removed_error_code() -> None:
    changed = _document({"name": TEXT, "kind": {"enum": ["A", "B"]}}, ["name"])
    changed["paths"]["/x"]["post"]["responses"]["409"]["description"] = "`ROBOT_STOPPED`: Stopped."
    found = contract.differences(FIRST, contract.of_api(changed))
    assert found == {"POST /x: 409: CONFLICT"}
