"""The ROS map of a robot within the map of LUNA."""

import math
from dataclasses import dataclass

from bridge.messages import Pose


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the origin of the ROS map lies on LUNA's map: metres, radians, floor."""

    x: float = 0.0
    y: float = 0.0
    theta: float = 0.0
    floor: int = 1

    def to_luna(self, pose: Pose) -> Pose:
        sine, cosine = math.sin(self.theta), math.cos(self.theta)
        return Pose(
            self.x + cosine * pose.x - sine * pose.y,
            self.y + sine * pose.x + cosine * pose.y,
            _normal(pose.theta + self.theta),
            self.floor,
        )

    def to_ros(self, pose: Pose) -> Pose:
        sine, cosine = math.sin(self.theta), math.cos(self.theta)
        x, y = pose.x - self.x, pose.y - self.y
        return Pose(
            cosine * x + sine * y,
            cosine * y - sine * x,
            _normal(pose.theta - self.theta),
            pose.floor,
        )


def _normal(theta: float) -> float:
    """The same angle between -π and π."""
    return math.atan2(math.sin(theta), math.cos(theta))
