"""What the bridge asks of a robot: the whole interface between LUNA and any machine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.messages import Json, Pose, Waypoint


class DriveFailedError(Exception):
    """The robot tried and did not get there; the text says why."""


class DriveRefusedError(Exception):
    """The robot will not try, since it cannot do it safely; the text says why."""


@dataclass(frozen=True, slots=True)
class RobotState:
    """How the robot is, from its own sensors."""

    pose: Pose
    waypoint: str | None  # the name of the waypoint it stands at; None while between two
    battery: float  # 0 to 1
    charging: bool
    docked: bool
    speed: float  # metres a second, from odometry
    remaining_m: float = 0.0  # metres of the present drive still ahead
    emergency_stop: bool = False  # the red button on the robot itself
    bumper: bool = False
    obstacle: bool = False
    errors: tuple[Json, ...] = ()  # each {type, level, message}
    sensors: Json = field(default_factory=dict)


class Driver(Protocol):
    """One robot. Every call but `state` may take as long as the robot needs.

    A motion (navigate, dock, undock) ends by returning when done, by raising DriveFailedError or
    DriveRefusedError, or by being cancelled: then the robot brakes. `stop` brakes at once and drops
    the motion. `pause` brakes and keeps it, `resume` goes on; both may be called at any time, and
    a motion begun while paused waits. Cruel orders of calls must be safe: the robot stands still
    unless exactly one motion is under way and it is not paused.
    """

    def state(self) -> RobotState: ...

    async def navigate(self, route: Sequence[Waypoint]) -> None: ...

    async def dock(self, waypoint: Waypoint) -> None: ...

    async def undock(self) -> None: ...

    async def stop(self) -> None: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def close(self) -> None: ...
