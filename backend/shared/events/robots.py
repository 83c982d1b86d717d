"""Robots: their condition, their stops, their commands."""

from datetime import datetime
from uuid import UUID

from backend.shared.events.base import RegisteredEvent


class _RobotEvent(RegisteredEvent):
    SOURCE = "robot-service"
    AGGREGATE = "robot"
    robot_id: UUID
    robot_name: str


class RobotStatusChanged(_RobotEvent):
    """A robot's status, connectivity, place or battery is another one."""

    TYPE = "robot.status.changed"
    status: str
    connectivity: str
    location: str | None
    battery: float | None


class RobotWentOffline(_RobotEvent):
    """Nothing was heard of a robot for too long."""

    TYPE = "robot.went_offline"


class RobotCameOnline(_RobotEvent):
    """A robot that was silent is heard again."""

    TYPE = "robot.came_online"


class RobotErrorReported(_RobotEvent):
    """A robot tells of something wrong with it."""

    TYPE = "robot.error.reported"
    error_type: str
    level: str
    message: str


class RobotStopRequested(_RobotEvent):
    """An emergency stop is set."""

    TYPE = "robot.stop.requested"
    stop_version: int
    reason: str | None
    by: UUID


class RobotStopConfirmed(_RobotEvent):
    """The robot's odometry says that it stands."""

    TYPE = "robot.stop.confirmed"
    stop_version: int


class RobotStopUnconfirmed(_RobotEvent):
    """A robot has not said in time that it stands."""

    TYPE = "robot.stop.unconfirmed"
    stop_version: int


class RobotResumed(_RobotEvent):
    """An emergency stop is lifted."""

    TYPE = "robot.resumed"
    reason: str
    by: UUID


class _CommandEvent(RegisteredEvent):
    SOURCE = "robot-service"
    AGGREGATE = "robot_command"
    command_id: UUID
    robot_id: UUID
    task_id: UUID | None
    command_type: str
    leg: str | None
    result: str | None = None
    at: datetime | None = None  # when it happened, by the robot's clock


class CommandCreated(_CommandEvent):
    """A command waits for the robot's bridge."""

    TYPE = "robot.command.created"


class CommandAccepted(_CommandEvent):
    """The bridge has taken a command."""

    TYPE = "robot.command.accepted"


class CommandStarted(_CommandEvent):
    """The robot is carrying a command out."""

    TYPE = "robot.command.started"


class CommandSucceeded(_CommandEvent):
    """The robot has done a command: a drive has arrived."""

    TYPE = "robot.command.succeeded"


class CommandFailed(_CommandEvent):
    """The robot has not done a command, and will not."""

    TYPE = "robot.command.failed"
