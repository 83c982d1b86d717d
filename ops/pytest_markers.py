"""Pytest plugin `-p ops.pytest_markers`: register the kinds of tests and mark each test."""

import pytest

KINDS = (
    "unit: needs no server",
    "api: through the public API, on a real PostgreSQL and Redis",
    "e2e: the whole system, through Nginx",
    "slow: not part of the default run",
)
# these start programs of their own
WITH_PROGRAMS = ("tests/ops/", "tests/gateway/", "tests/chaos/", "tests/bench/")


def pytest_configure(config: pytest.Config) -> None:
    for kind in KINDS:
        config.addinivalue_line("markers", kind)


@pytest.hookimpl(tryfirst=True)  # before -m chooses by them
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        place = item.nodeid
        if place.startswith("tests/e2e/"):
            item.add_marker("e2e")
        elif "servers" in getattr(item, "fixturenames", ()):
            item.add_marker("api")
        elif not place.startswith(WITH_PROGRAMS):
            item.add_marker("unit")
