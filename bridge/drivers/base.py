"""The interface between the bridge and a robot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from bridge.messages import Json, Pose, Waypoint


class DriveFailedError(Exception):
    """The robot did not complete the motion; the text says why."""


class DriveRefusedError(Exception):
    """The motion would not be safe; the text says why."""


@dataclass(frozen=True, slots=True)
class RobotState:
    """The state of the robot, from its own sensors."""

    pose: Pose
    waypoint: str | None  # name of the waypoint it is at; None between two
    battery: float  # 0 to 1
    charging: bool
    docked: bool
    speed: float  # metres per second, from odometry
    remaining_m: float = 0.0  # metres to the end of the current drive
    emergency_stop: bool = False  # the hardware button
    bumper: bool = False
    obstacle: bool = False
    errors: tuple[Json, ...] = ()  # each {type, level, message}
    sensors: Json = field(default_factory=dict)


class Driver(Protocol):
    """A robot. Every call but `state` may take as long as the robot needs.

    A motion (navigate, dock, undock) returns when done, raises DriveFailedError or
    DriveRefusedError, or is cancelled: then the robot brakes. `stop` brakes at once and drops the
    motion. `pause` brakes and keeps it, `resume` continues it; both may be called at any time, and
    a motion that starts while paused waits. Any order of calls must be safe: the robot moves only
    while exactly one motion is under way and not paused.

    `capabilities` is the sheet that LUNA is told: pause, carry (books), say.
    """

    capabilities: ClassVar[Json]

    def state(self) -> RobotState: ...

    async def navigate(self, route: Sequence[Waypoint]) -> None: ...

    async def dock(self, waypoint: Waypoint) -> None: ...

    async def undock(self) -> None: ...

    async def stop(self) -> None: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def close(self) -> None: ...
