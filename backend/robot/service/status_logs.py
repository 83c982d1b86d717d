"""Sample the state of the robots that are online; a trigger logs each change in between."""

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.shared.models import Connectivity, Robot, RobotStatusLog

_SAMPLE = insert(RobotStatusLog).from_select(
    [
        "robot_id",
        "status",
        "connectivity",
        "location",
        "pose",
        "battery_level",
        "charging",
        "sensor_data",
    ],
    select(
        Robot.id,
        Robot.status,
        Robot.connectivity,
        Robot.current_location,
        Robot.pose,
        Robot.battery_level,
        Robot.charging,
        Robot.sensor_data,
    ).where(Robot.connectivity == Connectivity.ONLINE),
    include_defaults=False,
)


def sample(session: Session) -> None:
    """Log the state of each robot that is online."""
    session.execute(_SAMPLE)
