"""Robots: status, emergency stops, commands."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from backend.shared.events.base import RegisteredEvent


class _RobotEvent(RegisteredEvent):
    SOURCE = "robot-service"
    AGGREGATE = "robot"
    robot_id: UUID
    robot_name: str


class RobotStatusChanged(_RobotEvent):
    """A robot's status, connectivity, location or battery level changed."""

    TYPE = "robot.status.changed"
    status: str
    connectivity: str
    location: str | None
    battery: float | None


class RobotWentOffline(_RobotEvent):
    """A robot sent no heartbeat for too long."""

    TYPE = "robot.went_offline"


class RobotCameOnline(_RobotEvent):
    """An offline robot sent a heartbeat."""

    TYPE = "robot.came_online"


class RobotFreed(_RobotEvent):
    """A robot can serve tasks again: it left maintenance, an error or a pause, or is charged."""

    TYPE = "robot.freed"


class RobotErrorReported(_RobotEvent):
    """A robot reported an error."""

    TYPE = "robot.error.reported"
    error_type: str
    level: str
    message: str


class OrderedRobot(BaseModel):
    """A robot that an order to the fleet names."""

    model_config = ConfigDict(frozen=True)

    robot_id: UUID
    robot_name: str


class _LatchEvent(RegisteredEvent):
    """A stop or resume of one robot, or of all: then `robot_id` and `robot_name` are null.

    Its aggregate is the latch, not the robot, whose sequence another transaction may hold.
    """

    SOURCE = "robot-service"
    AGGREGATE = "stop_latch"
    robot_id: UUID | None
    robot_name: str | None
    robots: list[OrderedRobot]
    by: UUID

    def aggregate_id(self) -> UUID:
        """Return the id of the latch: the robot's, or zero for the fleet's."""
        return self.robot_id or UUID(int=0)


class RobotStopRequested(_LatchEvent):
    """An emergency stop was requested."""

    TYPE = "robot.stop.requested"
    stop_version: int
    reason: str | None


class RobotStopConfirmed(_RobotEvent):
    """A robot confirmed by its odometry that it stopped."""

    TYPE = "robot.stop.confirmed"
    stop_version: int


class RobotStopUnconfirmed(RegisteredEvent):
    """Robots did not confirm an emergency stop in time; one event for those that are late together.

    `robot_id` is null when there are several; `robot_name` joins their names.
    """

    TYPE = "robot.stop.unconfirmed"
    SOURCE = "robot-service"
    AGGREGATE = "stop_latch"
    robot_id: UUID | None
    robot_name: str
    robots: list[OrderedRobot]
    stop_version: int

    def aggregate_id(self) -> UUID:
        """Return the id of the latch: the robot's, or zero for the fleet's."""
        return self.robot_id or UUID(int=0)


class RobotResumed(_LatchEvent):
    """An emergency stop was ended."""

    TYPE = "robot.resumed"
    reason: str


class EdgeClosed(RegisteredEvent):
    """An edge of the map was closed for a time."""

    TYPE = "robot.edge.closed"
    SOURCE = "robot-service"
    AGGREGATE = "edge"
    edge_id: UUID
    closed_until: datetime
    reason: str


class _CommandEvent(RegisteredEvent):
    SOURCE = "robot-service"
    AGGREGATE = "robot_command"
    command_id: UUID
    robot_id: UUID
    task_id: UUID | None
    command_type: str
    leg: str | None
    result: str | None = None
    at: datetime | None = None  # when it happened by the robot's clock


class CommandCreated(_CommandEvent):
    """A command was created and waits for the bridge."""

    TYPE = "robot.command.created"


class CommandAccepted(_CommandEvent):
    """The bridge accepted a command."""

    TYPE = "robot.command.accepted"


class CommandStarted(_CommandEvent):
    """The robot started to execute a command."""

    TYPE = "robot.command.started"


class CommandSucceeded(_CommandEvent):
    """The robot completed a command; a navigation arrived."""

    TYPE = "robot.command.succeeded"


class CommandFailed(_CommandEvent):
    """A command failed and will not be completed."""

    TYPE = "robot.command.failed"
