"""The results as a table, and docs/benchmarks.md, which also holds them as JSON."""

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops import bench
from ops.bench import Result
from ops.home import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `./luna bench --record`. Each figure is the median of rounds that alternate with its
comparison in the same run, so that the speed of the machine matters little. The load client is wrk,
on the same machine. The bars are those of the specification; `./luna bench --short` fails below
half of a bar.
"""


def _bar(result: Result) -> str:
    if result.at_least is not None:
        return f"≥ {result.at_least:g}"
    return f"≤ {result.at_most:g}" if result.at_most is not None else ""


def _details(result: Result) -> str:
    return ", ".join(f"{name} {value:,.4g}" for name, value in result.details.items())


def table(name: str, results: Sequence[Result]) -> str:
    """Return the results of one benchmark as a Markdown table."""
    lines = [f"### {name}", "", "| measured | value | bar | | figures | comparison |"]
    lines.append("|---|---:|---|---|---|---|")
    lines += [
        f"| {each.name} | {each.value:.3g} {each.unit} | {_bar(each)} "
        f"| {'ok' if each.passes() else 'missed'} | {_details(each)} | {each.comparison} |"
        for each in results
    ]
    return "\n".join(lines)


def machine() -> str:
    """Return the class of this machine: processors, memory, system, Python."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{cores} cores {platform.machine()}, {memory:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _recorded() -> dict[str, Any]:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    found = re.search(r"```json\n(.*?)\n```", text, re.DOTALL)
    return dict(json.loads(found.group(1))) if found else {}


def record(measured: dict[str, list[Result]]) -> None:
    """Replace the results of these benchmarks in docs/benchmarks.md and keep the others."""
    now = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine()}
    entries = _recorded() | {
        name: now | {"results": [asdict(each) for each in results]}
        for name, results in measured.items()
    }
    parts = [_HEAD]
    for name, entry in sorted(entries.items()):
        results = [Result(**each) for each in entry["results"]]
        about = " ".join((bench.benchmark(name).__doc__ or "").split())
        heading, _, rows = table(name, results).partition("\n\n")
        parts += [f"{heading}\n\n{about}\n\n{entry['date']}, {entry['machine']}.\n\n{rows}\n"]
    whole = json.dumps(entries, ensure_ascii=False, indent=1)
    parts += [f"### As JSON\n\n```json\n{whole}\n```\n"]
    Path(PAGE).write_text("\n".join(parts), encoding="utf-8")
