"""Run benchmarks one after the other, each on a LUNA of its own.

What one leaves behind, such as open requests, would be work of the next one's robots.
"""

import signal
from collections.abc import Sequence

from ops import bench
from ops.bench import Result, report, system


def run(names: Sequence[str], *, short: bool, record: bool) -> bool:
    """Run these benchmarks, print their tables, and return whether each bar is kept.

    A short run keeps a bar within SHORT_TOLERANCE.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its LUNA is stopped too
    tolerance = bench.SHORT_TOLERANCE if short else 1.0
    measured: dict[str, list[Result]] = {}
    for name in names:
        with system.running(bench.settings(name)) as luna:
            measured[name] = list(bench.benchmark(name).run(luna, short=short))
        print(report.table(name, measured[name]), end="\n\n", flush=True)
        if record:  # now: a later benchmark may fail
            report.record({name: measured[name]})
    missed = [
        each for results in measured.values() for each in results if not each.passes(tolerance)
    ]
    for each in missed:
        print(f"Bar missed: {each.name}: {each.value:.3g} {each.unit}")
    return not missed
