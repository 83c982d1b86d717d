"""A day of a fleet that misbehaves: 1 000 delivery tasks of five kinds with faults by a seed.

Robots lose the network, crash, drive past their target, meet obstacles and run flat; people do not
come, cancel, stop robots and give up. Robots are fast and time limits are seconds. Each task must
end COMPLETED, CANCELLED or FAILED with a reason, and the invariants must hold after each 100.
LUNA_BENCH_TASKS and LUNA_BENCH_SEED choose another number and another day.
"""

import os
import time
from collections.abc import Iterator

from ops.bench import Result
from ops.bench.fleet_day import invariants, people
from ops.bench.fleet_day.robots import SPEED, running
from ops.bench.system import System

SETTINGS = {
    "LUNA_LOADING_TIMEOUT": "PT12S",
    "LUNA_HANDOVER_TIMEOUT": "PT12S",
    "LUNA_UNRECEIVED_ALERT_INTERVAL": "PT20S",
    "LUNA_USUAL_LOADING_TIME": "PT1S",
    "LUNA_LIFT_TIME": "PT0S",  # simulated lifts take no time
    "LUNA_USUAL_SPEED": str(0.31 * SPEED),
    "LUNA_DRIVING_TIMEOUT": "PT60S",
    "LUNA_NO_ROBOT_NOTICE": "PT20S",
    "LUNA_STALE_AFTER": "PT4S",
    "LUNA_OFFLINE_AFTER": "PT6S",
    "LUNA_COMMAND_LEASE": "PT6S",
    "LUNA_EDGE_CLOSING": "PT5S",
    "LUNA_LOANS_PER_MEMBER": "10000",
    "LUNA_OVERDUE_PER_MEMBER": "10000",
}
TASKS, SHORT_TASKS = 1_000, 50
ROBOTS = 30
CHECK_EVERY = 100
MAX_AGE = 150.0  # seconds that a task may take with these limits, all attempts together
MAX_SECONDS = 900.0


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Run 50 or 1 000 tasks."""
    count = int(os.environ.get("LUNA_BENCH_TASKS", SHORT_TASKS if short else TASKS))
    seed = int(os.environ.get("LUNA_BENCH_SEED", "1"))
    violations: list[str] = []
    checks = 0
    began = time.monotonic()
    with running(system, ROBOTS, seed) as robots, people.Day(system, seed) as day:
        for done in range(CHECK_EVERY, count + CHECK_EVERY, CHECK_EVERY):
            day.run_until(min(done, count))
            violations += invariants.violations(system)
            checks += 1
        day.finish()
        violations += invariants.violations(system)
        seconds = time.monotonic() - began
        injected = robots.injected()
    ends = day.ends
    yield Result("tasks that ended", sum(ends.values()), "", at_least=count, details=dict(ends))
    yield Result("ended without a reason", day.without_reason(), "", at_most=0)
    yield Result("failed without an alert", invariants.failed_without_alert(system), "", at_most=0)
    yield Result(
        "violated invariants", len(violations), "", at_most=0, comparison="; ".join(violations[:3]),
        details={"checks": checks + 1.0},
    )  # fmt: skip
    yield Result("oldest task", max(day.ages, default=0), "s", at_most=MAX_AGE)
    yield from day.arrival_times.results()
    yield Result("faults injected", sum(injected.values()), "", at_least=1, details=dict(injected))
    yield Result("whole run", seconds, "s", at_most=MAX_SECONDS)
