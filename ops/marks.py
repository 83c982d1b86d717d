"""The kinds of tests, for pytest: `-p ops.marks` makes them known."""

import pytest

KINDS = (
    "unit: needs no server",
    "api: through the public API, on a real PostgreSQL and Redis",
    "e2e: the whole system, through Nginx",
    "slow: not part of the default run",
)


def pytest_configure(config: pytest.Config) -> None:
    for kind in KINDS:
        config.addinivalue_line("markers", kind)
