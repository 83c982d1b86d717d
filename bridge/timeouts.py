"""Timeouts and intervals in seconds of wall-clock time; a faster simulator changes none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    heartbeat_moving: float = 1.0
    heartbeat_idle: float = 5.0
    heartbeat_timeout: float = 2.0
    progress: float = 2.0  # interval of PROGRESS reports
    max_silence: float = 3.0  # without a response for longer, a moving robot pauses
    poll_wait: int = 25  # requested duration of a long poll
    poll_margin: float = 10.0  # added to it for the client's timeout
    poll_pause: float = 0.2  # after a poll that returned empty too early
    resume_wait: float = 2.0  # for the resume that a command may have overtaken
    key_retry: float = 15.0
    retry_initial: float = 0.1
    retry_max: float = 2.0
    shutdown: float = 0.5  # for the robot to stop at the end
