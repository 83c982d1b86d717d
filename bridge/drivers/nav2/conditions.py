"""Conditions of a TurtleBot 4 that are reported as errors."""

from collections.abc import Mapping

from bridge.messages import Json

_ERRORS = {
    "NAVIGATOR_STUCK": ("FATAL", "The navigator does not respond; restart the bridge."),
    "LIFTED": ("CRITICAL", "A wheel has no contact with the floor."),
    "NOT_LOCALIZED": ("CRITICAL", "The robot does not know where it is on its map."),
    "NO_ODOMETRY": ("CRITICAL", "The base sends no odometry."),
    "NOT_CHARGING": ("URGENT", "The robot is docked but does not charge."),
}


def errors(found: Mapping[str, bool]) -> list[Json]:
    """Return an error for each condition that holds."""
    return [
        {"type": kind, "level": level, "message": message}
        for kind, (level, message) in _ERRORS.items()
        if found[kind]
    ]
