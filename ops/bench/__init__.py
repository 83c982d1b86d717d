"""Benchmarks: figures of a running LUNA beside a comparison measured in the same run.

Each module of `ops.bench.cases` is one benchmark, and its name is the argument of `luna bench`. It
has a docstring that says what is measured and how, and `run(system, *, short)`, which returns or
yields a Result for each figure. `system` is a LUNA of its own (ops.bench.system.System).
"""

import keyword
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from ops.bench.system import System

ON_DEMAND = frozenset({"fleet_day", "mixed"})  # take many minutes: run only when they are named
SHORT_TOLERANCE = 2.0  # a short run, on a machine that does other work, fails below half a bar


@dataclass(frozen=True)
class Result:
    """One figure with its bar and the comparison it was measured beside."""

    name: str  # what was measured: "unread count"
    value: float
    unit: str  # "× hello", "ms p95", "MB"
    at_least: float | None = None
    at_most: float | None = None
    comparison: str = ""  # "bare hello: 8 120 requests/s"
    details: Mapping[str, float] = field(default_factory=dict)  # {"requests/s": 2600, "p99 ms": 21}

    def passes(self, tolerance: float = 1.0) -> bool:
        """Tell whether the figure keeps its bar, relaxed by a factor."""
        if self.at_least is not None and self.value < self.at_least / tolerance:
            return False
        return self.at_most is None or self.value <= self.at_most * tolerance


class Benchmark(Protocol):
    """A module of `ops.bench.cases`."""

    __doc__: str

    def run(self, system: "System", *, short: bool) -> Iterable[Result]:
        """Measure; a short run takes seconds and may measure less."""


def names() -> list[str]:
    """Return the name of every benchmark: that of its module, which may end with `_`."""
    return [
        module.name.rstrip("_")
        for module in pkgutil.iter_modules([str(Path(__file__).parent / "cases")])
    ]


def settings(name: str) -> dict[str, str]:
    """Return the settings of LUNA that a benchmark needs beside those of all."""
    return dict(getattr(benchmark(name), "SETTINGS", {}))


def benchmark(name: str) -> Benchmark:
    """Import a benchmark."""
    module = f"{name}_" if keyword.iskeyword(name) else name
    return cast("Benchmark", import_module(f"ops.bench.cases.{module}"))
