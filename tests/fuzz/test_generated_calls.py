"""Calls generated from the OpenAPI document: no server error, no status it does not name."""

import os
import random
from math import ceil
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.fuzz.fuzzer import Fuzzer
from tests.scenario import Scenario, check_invariants, start_scenario

CALLS = int(os.environ.get("LUNA_TEST_CALLS", "3000"))  # `./luna test all` sets more
SEED = int(os.environ.get("LUNA_TEST_SEED", str(random.getrandbits(32))))


@pytest.fixture
def busy_library(api: Any) -> Scenario:
    """A library with a request whose robot waits to be loaded, an earlier loan and a free copy."""
    scenario = start_scenario(api, copies=3)
    scenario.until_on_loan()
    scenario.request_return()
    other = start_other_request(scenario)
    scenario.run_events()
    assert other.status_code == 201
    return scenario


def start_other_request(scenario: Scenario) -> Any:
    body = {"book_id": str(scenario.book), "request_location": "SR-202"}
    return scenario.call(scenario.librarian, "POST", "/requests", 201, json=body)


def test_generated_calls_cause_no_server_error_and_no_undocumented_status(
    busy_library: Scenario, owner: Engine
) -> None:
    print(f"LUNA_TEST_SEED={SEED}")  # noqa: T201 (pytest shows it when the test fails)
    fuzzer = Fuzzer(busy_library, owner, SEED)
    operations = list(fuzzer.operations())
    for operation in operations:
        fuzzer.run(operation, ceil(CALLS / len(operations)))
    shown = [f"{label}: {what}\n  {call}" for (label, what), call in fuzzer.problems.items()]
    assert not shown, "\n".join(shown)
    assert fuzzer.calls >= 0.9 * CALLS
    check_invariants(owner)
