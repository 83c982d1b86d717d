"""What tests of journeys stand on: a story that leaves every invariant whole."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from tests import scenario


@pytest.fixture(autouse=True)
def _whole(api: Any, owner: Engine) -> Iterator[None]:
    yield
    scenario.check_whole(owner)


@pytest.fixture
def tale(api: Any) -> scenario.Story:
    """One copy, one student, one librarian, one robot at its dock."""
    return scenario.begin(api)
