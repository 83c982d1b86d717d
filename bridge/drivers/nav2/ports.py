"""What the driver needs of ROS 2; `ros` implements it, and a fake in the tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bridge.messages import Pose


class Outcome(StrEnum):
    """How a goal ended, as Nav2 says."""

    SUCCEEDED = "SUCCEEDED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest sensor values; ages in seconds since they were received."""

    pose: Pose | None = None  # in the frame of the ROS map; None while not localized
    pose_age: float = 0.0
    speed: float = 0.0  # m/s from odometry; turning counts too
    odometry_age: float = 0.0
    battery: float | None = None  # 0 to 1, as the base reports it
    current: float = 0.0  # amperes; above 0 while charging
    docked: bool = False
    bumper: bool = False
    obstacle: bool = False
    button: bool = False  # the hardware stop
    lifted: bool = False  # a wheel has dropped, or it was carried away


class Navigator(Protocol):
    """The action clients. Each call may block, and may never return."""

    def go(self, poses: Sequence[Pose]) -> bool:
        """Send the goal and return whether Nav2 accepted it, which is no proof that it moves."""
        ...

    def has_feedback(self) -> bool: ...

    def is_complete(self) -> bool: ...

    def outcome(self) -> Outcome: ...

    def cancel(self) -> None: ...

    def start_docking(self) -> bool: ...

    def start_undocking(self) -> bool: ...


class Base(Protocol):
    """Sensors and brakes of the base, on connections of their own; no call blocks."""

    def read(self) -> Reading: ...

    def brake(self) -> None:
        """Command zero velocity and set the base's own stop, which overrides Nav2."""
        ...

    def release(self) -> None:
        """Lift the base's own stop."""
        ...

    def limit_speed(self, metres_per_second: float) -> None: ...

    def close(self) -> None: ...
