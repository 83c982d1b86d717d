"""Fixtures of the feature examples: a scenario, and a check of all invariants after each one."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.scenario import Scenario, check_invariants, start_scenario


@pytest.fixture
def scenario(api: Any, owner: Engine) -> Iterator[Scenario]:
    """One copy, one student, one librarian, one robot at its dock."""
    yield start_scenario(api)
    check_invariants(owner)
