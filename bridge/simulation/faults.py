"""Faults that a simulated robot injects on demand: a script, and its decisions by a seed.

A script is a JSON list of faults: `[{"fault": "LATE", "probability": 0.1, "seconds": 0.5}]`.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from bridge.messages import Json


class Kind(StrEnum):
    """What goes wrong, and when it is decided."""

    NETWORK_LOSS = "NETWORK_LOSS"  # a request: no response for `seconds`
    LATE = "LATE"  # a request: sent after `seconds`
    TWICE = "TWICE"  # a request: sent two times
    REORDERED = "REORDERED"  # a request: the previous one arrives again after it
    OLD_EPOCH = "OLD_EPOCH"  # a heartbeat: a copy of the previous session's precedes it
    CLOCK_JUMP = "CLOCK_JUMP"  # a report: its time is wrong by `value` seconds
    CRASH = "CRASH"  # a report, answer or lease: the bridge ends at `step`, for `seconds`
    BLOCKED_PATH = "BLOCKED_PATH"  # a drive: an obstacle for `seconds`, then the drive fails
    WRONG_BATTERY = "WRONG_BATTERY"  # a drive: the battery reads `value` for `seconds`
    FLAT_BATTERY = "FLAT_BATTERY"  # a drive: the battery is empty, and replaced after `seconds`
    ARRIVES_ELSEWHERE = "ARRIVES_ELSEWHERE"  # a drive: it ends `value` metres from the target
    WRONG_PLACE = "WRONG_PLACE"  # a drive: the pose is wrong by `value` metres for `seconds`
    UNCONFIRMED_STOP = "UNCONFIRMED_STOP"  # a stop: odometry reports motion for `seconds`


class InvalidScriptError(Exception):
    """A script of faults is invalid; the text says where."""


@dataclass(frozen=True, slots=True)
class Fault:
    fault: Kind
    probability: float = 1.0  # at each opportunity
    limit: int | None = None  # how often at most for each robot
    seconds: float = 1.0
    value: float = 0.0
    step: str | None = None  # of CRASH: a type of report, or LEASED; None: each
    robots: tuple[str, ...] = ()  # empty: all


class RobotFaults:
    """The faults of one robot.

    The n-th opportunity of a fault has the same outcome for the same seed, robot and script.
    """

    def __init__(self, robot: str, seed: int, script: Iterable[Fault] = ()) -> None:
        self.robot = robot
        self._seed = seed
        self.injected: Counter[str] = Counter()
        self.replace(script)

    def replace(self, script: Iterable[Fault]) -> None:
        """Follow another script; the decisions start anew."""
        own = [fault for fault in script if not fault.robots or self.robot in fault.robots]
        self._left = [_Decisions(fault, f"{self._seed}/{self.robot}/{fault}") for fault in own]

    def draw(self, kind: Kind, step: str | None = None) -> Fault | None:
        """Decide about one opportunity; return the fault to inject."""
        matching = [
            each
            for each in self._left
            if each.fault.fault is kind and each.fault.step in {None, step}
        ]
        for decisions in matching:
            if decisions.next():
                self.injected[kind] += 1
                return decisions.fault
        return None

    def as_json(self) -> Json:
        return {
            "robot": self.robot,
            "faults": [asdict(each.fault) for each in self._left],
            "injected": dict(self.injected),
        }


class _Decisions:
    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault = fault
        self._chance = random.Random(seed)  # noqa: S311  a repeatable sequence, not cryptography
        self._count = 0

    def next(self) -> bool:
        if self.fault.limit is not None and self._count >= self.fault.limit:
            return False
        happens = self._chance.random() < self.fault.probability
        self._count += happens
        return happens


def parse_script(data: Any) -> tuple[Fault, ...]:
    """Parse a list of faults; InvalidScriptError names the first invalid one."""
    if not isinstance(data, list):
        raise InvalidScriptError("a script is a list of faults")
    return tuple(_parse(number, item) for number, item in enumerate(data))


def _parse(number: int, item: Any) -> Fault:
    names = {each.name for each in fields(Fault)}
    if not isinstance(item, dict) or not item.keys() <= names:
        raise InvalidScriptError(f"fault {number} has fields other than {sorted(names)}")
    try:
        kind = Kind(str(item.get("fault")))
        robots = tuple(map(str, item.get("robots", ())))
        made = Fault(**{**item, "fault": kind, "robots": robots})
        valid = 0 <= made.probability <= 1 and made.seconds >= 0 and abs(made.value) >= 0
    except (TypeError, ValueError) as error:
        raise InvalidScriptError(f"fault {number}: {error}") from error
    if not valid:
        raise InvalidScriptError(f"fault {number} has a number out of its range")
    return made
