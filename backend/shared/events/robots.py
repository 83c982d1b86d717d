"""Robots: their condition, their stops, their commands."""

from uuid import UUID

from backend.shared.events.base import Registered


class _RobotEvent(Registered):
    SOURCE = "robot-service"
    AGGREGATE = "robot"
    robot_id: UUID
    robot_name: str


class RobotStatusChanged(_RobotEvent):
    TYPE = "robot.status.changed"
    status: str
    connectivity: str
    location: str | None
    battery: float | None


class RobotWentOffline(_RobotEvent):
    TYPE = "robot.went_offline"


class RobotCameOnline(_RobotEvent):
    TYPE = "robot.came_online"


class RobotErrorReported(_RobotEvent):
    TYPE = "robot.error.reported"
    error_type: str
    level: str
    message: str


class RobotStopRequested(_RobotEvent):
    TYPE = "robot.stop.requested"
    stop_version: int
    reason: str | None
    by: UUID


class RobotStopConfirmed(_RobotEvent):
    TYPE = "robot.stop.confirmed"
    stop_version: int


class RobotStopUnconfirmed(_RobotEvent):
    TYPE = "robot.stop.unconfirmed"
    stop_version: int


class RobotResumed(_RobotEvent):
    TYPE = "robot.resumed"
    reason: str
    by: UUID


class _CommandEvent(Registered):
    SOURCE = "robot-service"
    AGGREGATE = "robot_command"
    command_id: UUID
    robot_id: UUID
    task_id: UUID | None
    command_type: str
    leg: str | None
    result: str | None = None


class CommandCreated(_CommandEvent):
    TYPE = "robot.command.created"


class CommandAccepted(_CommandEvent):
    TYPE = "robot.command.accepted"


class CommandStarted(_CommandEvent):
    TYPE = "robot.command.started"


class CommandSucceeded(_CommandEvent):
    TYPE = "robot.command.succeeded"


class CommandFailed(_CommandEvent):
    TYPE = "robot.command.failed"
