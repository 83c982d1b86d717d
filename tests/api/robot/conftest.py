"""Fixtures of this service: a scenario, and a check of all invariants after each test."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.scenario import Scenario, check_invariants, start_scenario


@pytest.fixture(autouse=True)
def _check_invariants(api: Any, owner: Engine) -> Iterator[None]:
    yield
    check_invariants(owner)


@pytest.fixture
def scenario(api: Any) -> Scenario:
    """One copy, one student, one librarian, one robot at its dock."""
    return start_scenario(api)
