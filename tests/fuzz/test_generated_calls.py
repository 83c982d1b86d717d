"""Calls generated from the OpenAPI document: no server error, no status it does not name."""

import os
import random
from math import ceil
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.api.contract import filled_library
from tests.fuzz.fuzzer import Fuzzer
from tests.scenario import Scenario, check_invariants

PARTS = 2  # of the operations, so that two workers share them
CALLS = int(os.environ.get("LUNA_TEST_CALLS", "1500")) // PARTS  # `./luna test all` sets more
SEED = int(os.environ.get("LUNA_TEST_SEED", str(random.getrandbits(32))))


@pytest.fixture
def busy_library(api: Any) -> Scenario:
    """A library with rows of every kind, and a robot that waits to be loaded."""
    scenario = filled_library.fill(api).scenario
    scenario.run_events()
    return scenario


@pytest.mark.parametrize("part", range(PARTS))
def test_generated_calls_cause_no_server_error_and_no_undocumented_status(
    busy_library: Scenario, owner: Engine, part: int
) -> None:
    print(f"LUNA_TEST_SEED={SEED}")  # noqa: T201 (pytest shows it when the test fails)
    fuzzer = Fuzzer(busy_library, owner, SEED)
    operations = list(fuzzer.operations())[part::PARTS]
    for operation in operations:
        fuzzer.run(operation, ceil(CALLS / len(operations)))
    shown = [f"{label}: {what}\n  {call}" for (label, what), call in fuzzer.problems.items()]
    assert not shown, "\n".join(shown)
    calls = fuzzer.answered.total()
    assert calls >= 0.9 * CALLS
    assert fuzzer.answered[401] < 0.3 * calls  # else few calls would reach the rules
    check_invariants(owner)
