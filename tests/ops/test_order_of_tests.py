"""The order in which pytest's workers are given the tests."""

from dataclasses import dataclass, field
from typing import Any

from ops import pytest_markers

WAITING = ("tests/ops/test_units.py", "tests/gateway/test_headers.py")
COMPUTING = tuple(f"tests/shared/test_{name}.py" for name in ("cache", "cursors", "envelope"))


@dataclass
class Test:
    """What the plugin reads of a test."""

    __test__ = False
    nodeid: str
    fixturenames: tuple[str, ...] = ()
    markers: list[str] = field(default_factory=list)

    def add_marker(self, name: str) -> None:
        self.markers.append(name)


def _order(*modules: str) -> list[str]:
    """Return the modules in the order of their tests, of which each has two."""
    items: list[Any] = [Test(f"{module}::test_{n}") for n in (1, 2) for module in modules]
    given = len(items)
    pytest_markers.pytest_collection_modifyitems(items)
    assert len({item.nodeid for item in items}) == given
    return [item.nodeid.partition("::")[0] for item in items]


def test_modules_that_wait_are_spread_among_those_that_compute() -> None:
    first, second = WAITING
    one, two, three = COMPUTING
    expected = (first, one, two, second, three)
    assert _order(*COMPUTING, *WAITING) == [module for module in expected for _ in range(2)]


def test_order_is_complete_where_nothing_waits() -> None:
    assert _order(*COMPUTING) == [module for module in COMPUTING for _ in range(2)]
