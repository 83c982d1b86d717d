"""A fake TurtleBot 4 with Nav2 that behaves as badly as those in the field, on demand."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bridge.drivers.nav2.ports import Outcome, Reading
from bridge.messages import Pose

SPEED = 20.0  # metres per second


@dataclass
class FakeTurtleBot:
    """The navigator and the base in one; its position follows from the clock."""

    rejects: bool = False
    never_begins: bool = False  # accepts the goal, and gives no feedback
    aborts: bool = False  # accepts the goal, and ends it as failed
    ends_elsewhere: float = 0.0  # metres from the target, reported as success
    ignores_cancel: bool = False
    hangs: bool = False  # calls do not return
    never_undocks: bool = False
    never_docks: bool = False
    charges: bool = True
    odometry_age: float = 0.0
    pose_age: float = 0.0
    localized: bool = True
    battery: float | None = 0.8
    docked: bool = False
    lifted: bool = False
    button: bool = False
    blocked_after: float | None = None  # metres
    goals: list[Sequence[Pose]] = field(default_factory=list)
    cancels: int = 0
    braked: bool = False
    speed_limit: float = 0.0
    closed: bool = False

    def __post_init__(self) -> None:
        self._path: list[Pose] = [Pose(0.0, 0.0, 0.0, 1)]
        self._since: float | None = None  # while Nav2 executes the goal
        self._driven = 0.0
        self.let_go = threading.Event()  # ends hanging calls

    # --- navigator ------------------------------------------------------------------------------

    def go(self, poses: Sequence[Pose]) -> bool:
        self._hang()
        if self.rejects:
            return False
        self.goals.append(poses)
        self._path = [self._here(), *poses]
        self._since, self._driven = time.monotonic(), 0.0
        return True

    def has_feedback(self) -> bool:
        return self._since is not None and not self.never_begins and not self.aborts

    def is_complete(self) -> bool:
        self._hang()
        if self.never_begins and not self.cancels:
            return False
        return self._since is None or self.aborts or (self._left() <= 0 and not self.ignores_cancel)

    def outcome(self) -> Outcome:
        return Outcome.FAILED if self.aborts else Outcome.SUCCEEDED

    def cancel(self) -> None:
        self._hang()
        self.cancels += 1
        if not self.ignores_cancel:
            self._path, self._since = [self._here()], None

    def start_docking(self) -> bool:
        self.docked = not self.never_docks
        return True

    def start_undocking(self) -> bool:
        self.docked = self.never_undocks
        return True

    # --- base -----------------------------------------------------------------------------------

    def read(self) -> Reading:
        return Reading(
            pose=self._here() if self.localized else None,
            pose_age=self.pose_age,
            speed=SPEED if self._moves() else 0.0,
            odometry_age=self.odometry_age,
            battery=self.battery,
            current=1.0 if self.docked and self.charges else -0.5,
            docked=self.docked,
            button=self.button,
            lifted=self.lifted,
        )

    def brake(self) -> None:
        if not self.braked:
            self._path, self._driven = [self._here(), *self._path[-1:]], 0.0
        self.braked = True

    def release(self) -> None:
        if self.braked and self._since is not None:
            self._since = time.monotonic()
        self.braked = False

    def limit_speed(self, metres_per_second: float) -> None:
        self.speed_limit = metres_per_second

    def close(self) -> None:
        self.closed = True

    def _hang(self) -> None:
        if self.hangs:
            self.let_go.wait(30)

    def _moves(self) -> bool:
        executing = self._since is not None and not self.never_begins and not self.aborts
        return executing and not self.braked and self._left() > 0 and not self._is_blocked()

    def _is_blocked(self) -> bool:
        return self.blocked_after is not None and self._metres() >= self.blocked_after

    def _metres(self) -> float:
        if self._since is None or self.braked or self.never_begins or self.aborts:
            return 0.0
        metres = (time.monotonic() - self._since) * SPEED
        return metres if self.blocked_after is None else min(metres, self.blocked_after)

    def _length(self) -> float:
        whole = sum(here.distance(there) for here, there in pairwise(self._path))
        return whole - self.ends_elsewhere

    def _left(self) -> float:
        return self._length() - self._metres()

    def _here(self) -> Pose:
        metres = min(self._metres(), max(0.0, self._length()))
        for start, end in pairwise(self._path):
            leg = start.distance(end)
            if metres <= leg and leg > 0:
                share = metres / leg
                x, y = start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)
                return Pose(x, y, 0.0, 1)
            metres -= leg
        return self._path[-1] if self._since is not None else self._path[0]
