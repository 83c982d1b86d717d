"""Pytest plugin `-p ops.pytest_markers`: mark the tests by kind and put them in order."""

from collections import deque
from itertools import chain

import pytest

KINDS = (
    "unit: needs no server",
    "api: through the public API, on a real PostgreSQL and Redis",
    "e2e: the whole system, through Nginx",
    "slow: not part of the default run",
)
# these start programs of their own
WITH_PROGRAMS = ("tests/ops/", "tests/gateway/", "tests/chaos/", "tests/bench/")
# the longest come first, so that no worker is left with one of them at the end
LONGEST = (
    "tests/e2e/",
    "tests/fuzz/",
    "tests/workflow/test_state_machine.py",
    "tests/ops/",
    "tests/architecture/",
    "tests/api/auth/sign_in/test_load.py",
    "tests/shared/test_broker.py",
    "tests/shared/test_sql_plans.py",
    "tests/api/rpc/",
    "bridge/tests/test_faults.py",
    "tests/api/book/",
    "tests/api/circulation/",
    "tests/api/robot/",
    "tests/api/delivery/",
)
# These wait for programs more than they compute. Spread among the others, they leave no processor
# idle: together they would keep all workers waiting.
WAITING = (
    "tests/e2e/",
    "tests/ops/",
    "tests/api/rpc/",
    "tests/api/robot/test_sweeps_and_locks.py",
    "tests/gateway/",
    "tests/shared/test_broker.py",
    "tests/shared/test_sql_plans.py",
    "bridge/tests/",
)
# All tests of a folder share one running system, or the syntax trees of all sources.
TOGETHER = ("tests/e2e", "tests/api/rpc", "tests/architecture")
# each test starts a system of its own, or takes half a minute
SEPARATE = ("tests/ops/test_lifecycle.py", "tests/fuzz/test_generated_calls.py")


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
    items.sort(key=_rank)
    _spread(items)


def _spread(items: list[pytest.Item]) -> None:
    """Put one part that waits before each two that compute."""
    waiting: dict[str, list[pytest.Item]] = {}
    computing: dict[str, list[pytest.Item]] = {}
    for item in items:
        parts = waiting if item.nodeid.startswith(WAITING) else computing
        parts.setdefault(part_of(item.nodeid), []).append(item)
    left = deque(computing.values())
    items.clear()
    for part in waiting.values():
        items += part
        for _ in range(min(2, len(left))):
            items += left.popleft()
    items += chain.from_iterable(left)


def part_of(nodeid: str) -> str:
    """Return the part of a test: what one worker runs from its beginning to its end."""
    if nodeid.startswith(SEPARATE):
        return nodeid
    shared = [folder for folder in TOGETHER if nodeid.startswith(folder)]
    return shared[0] if shared else nodeid.partition("::")[0]


def _rank(item: pytest.Item) -> int:
    starts = [number for number, start in enumerate(LONGEST) if item.nodeid.startswith(start)]
    return starts[0] if starts else len(LONGEST)
