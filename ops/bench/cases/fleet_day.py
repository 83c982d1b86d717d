"""A day of a fleet that misbehaves: 1 000 delivery tasks of five kinds with faults by a seed.

Robots lose the network, crash, drive past their target, meet obstacles and run flat; people do not
come, cancel, stop robots and give up. Robots are fast and time limits are seconds. Each task must
end COMPLETED, CANCELLED or FAILED with a reason, and the invariants must hold after each 100.
LUNA_BENCH_TASKS and LUNA_BENCH_SEED choose another number and another day.
"""

import os
import sys
import time
from collections.abc import Iterator

from ops.bench import Result
from ops.bench.fleet_day import deadlines, invariants, people
from ops.bench.fleet_day.robots import SPEED, running
from ops.bench.system import System

LIMITS = {"loading": 12, "handover": 12, "driving": 60, "no_robot": 20}  # seconds
MAX_OVERRUN = 10.0  # seconds: deadlines are checked each second, on a machine under load
SETTINGS = {
    "LUNA_LOADING_TIMEOUT": f"PT{LIMITS['loading']}S",
    "LUNA_HANDOVER_TIMEOUT": f"PT{LIMITS['handover']}S",
    "LUNA_UNRECEIVED_ALERT_INTERVAL": "PT20S",
    "LUNA_USUAL_LOADING_TIME": "PT1S",
    "LUNA_LIFT_TIME": "PT0S",  # simulated lifts take no time
    "LUNA_USUAL_SPEED": str(0.31 * SPEED),
    "LUNA_DRIVING_TIMEOUT": f"PT{LIMITS['driving']}S",
    "LUNA_NO_ROBOT_NOTICE": f"PT{LIMITS['no_robot']}S",
    "LUNA_HEARTBEAT_INTERVAL": "PT1S",
    "LUNA_STALE_AFTER": "PT4S",
    "LUNA_OFFLINE_AFTER": "PT6S",
    "LUNA_COMMAND_LEASE": "PT6S",
    "LUNA_EDGE_CLOSING": "PT5S",
    "LUNA_LOANS_PER_MEMBER": "10000",
    "LUNA_OVERDUE_PER_MEMBER": "10000",
}
TASKS, SHORT_TASKS = 1_000, 50
ROBOTS = 12
KINDS = 5  # of task
CHECK_EVERY = 100
MAX_AGE = 150.0  # seconds that a task may take with these limits, all attempts together
MAX_SECONDS = 900.0  # for each 1 000 tasks


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Run 50 or 1 000 tasks."""
    count = int(os.environ.get("LUNA_BENCH_TASKS", SHORT_TASKS if short else TASKS))
    seed = int(os.environ.get("LUNA_BENCH_SEED", "1"))
    violations: list[str] = []
    checks = 0
    began = time.monotonic()
    with running(system, ROBOTS, seed) as robots, people.Day(system, seed, robots) as day:
        for done in range(CHECK_EVERY, count + CHECK_EVERY, CHECK_EVERY):
            day.run_until(min(done, count), count)
            violations += invariants.violations(system)
            checks += 1
            _say_progress(sum(day.ends.values()), time.monotonic() - began)
        day.finish()
        violations += invariants.violations(system)
        seconds = time.monotonic() - began
        injected = robots.injected()
    yield from _ended(system, day, count, violations, checks)
    yield from _in_time(system, day)
    yield from day.arrival_times.results()
    yield Result("faults injected", sum(injected.values()), "", at_least=1, details=dict(injected))
    yield Result(
        "whole run", seconds, "s", at_most=MAX_SECONDS * max(1, count / TASKS),
        details={"seed": seed},
    )  # fmt: skip


def _ended(
    system: System, day: people.Day, count: int, violations: list[str], checks: int
) -> Iterator[Result]:
    """Yield how the tasks ended, and what was violated meanwhile."""
    ends, kinds = day.ends, invariants.kinds(system)
    yield Result("tasks that ended", sum(ends.values()), "", at_least=count, details=dict(ends))
    yield Result(
        "kinds of task", len(kinds), "", at_least=KINDS if count >= TASKS else None, details=kinds
    )
    reasons = dict(day.reasons.most_common())
    yield Result("ended without a reason", reasons.pop("", 0), "", at_most=0, details=reasons)
    yield Result("failed without an alert", invariants.failed_without_alert(system), "", at_most=0)
    yield Result(
        "violated invariants", len(violations), "", at_most=0, comparison="; ".join(violations[:3]),
        details={"checks": checks + 1.0},
    )  # fmt: skip


def _in_time(system: System, day: people.Day) -> Iterator[Result]:
    """Yield whether each task left each state by its time limit."""
    found = deadlines.read(system, LIMITS, MAX_OVERRUN)
    yield Result("oldest task", max(day.ages, default=0), "s", at_most=MAX_AGE)
    yield Result(
        "longest past a time limit", found.overrun, "s", at_most=MAX_OVERRUN,
        details={"states that reached one": found.reached},
    )  # fmt: skip
    yield Result("past a time limit without an alert", found.unalerted, "", at_most=0)


def _say_progress(ended: int, seconds: float) -> None:
    """Say on standard error how far the day is, since it takes minutes."""
    print(f"{ended} tasks ended after {seconds:.0f} s", file=sys.stderr, flush=True)
