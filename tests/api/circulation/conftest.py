"""Fixtures of the circulation tests."""

from typing import Any

import pytest

from tests.api.circulation.desk_client import Desk


@pytest.fixture
def desk(api: Any) -> Desk:
    """A desk with one title of one copy."""
    return Desk(api)
