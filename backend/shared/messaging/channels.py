"""Names of the PostgreSQL and Redis channels."""

from uuid import UUID

OUTBOX = "outbox"  # PostgreSQL: NOTIFY by the trigger on the outbox, LISTEN by the relay
STOP_LATCHES = "wake:stop"  # Redis: a latch that was stopped or resumed
BRIDGE_SESSIONS = "wake:session"  # Redis: a robot whose bridge opened a session
LIVE = "live"  # Redis: every event that the live view shows


def command_channel(robot_id: UUID) -> str:
    """Name the Redis channel that wakes the command poll of a robot."""
    return f"wake:command:{robot_id}"


def robot_of(command_channel: str) -> UUID:
    """Return the robot of a channel that wakes a command poll."""
    return UUID(command_channel.rpartition(":")[2])
