"""How long things may take, in seconds on the wall clock; a faster simulator changes none of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    heartbeat_moving: float = 1.0
    heartbeat_idle: float = 5.0
    heartbeat_timeout: float = 2.0
    progress: float = 2.0  # between two reports of a drive under way
    silence: float = 3.0  # the dead man: longer without LUNA, and a moving robot stops
    poll_wait: int = 25  # what a long poll asks LUNA to wait
    poll_slack: float = 10.0  # and how much later the answer may still come
    poll_rest: float = 0.2  # least pause after a poll that came back empty too soon
    stop_doubt: float = 2.0  # a go that overtook its resume waits this long for it
    key_retry: float = 15.0
    retry_first: float = 0.1
    retry_most: float = 2.0
    farewell: float = 0.5  # at the end: for the robot to come to rest
