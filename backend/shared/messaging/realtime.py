"""The live view's way through Redis: who may be shown what, publishing, listening.

One channel carries all events with their topics; every notification instance hears them all and
gives each socket what it subscribed to. Wake-ups of long polls use channels of their own.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from backend.shared.infra import commit_hooks, logs, redis
from backend.shared.messaging import channels

_log = logs.get(__name__)
_SILENCE_SECONDS = 5
# What raises an alarm, and what ends it.
_ALERTS = frozenset(
    {
        "delivery.task.needs_attention",
        "delivery.task.failed",
        "system.event.died",
        "robot.went_offline",
        "robot.came_online",
        "robot.stop.requested",
        "robot.stop.confirmed",
        "robot.stop.unconfirmed",
        "robot.resumed",
    }
)
_CRITICAL_LEVELS = frozenset({"CRITICAL", "FATAL"})


def topics(event_type: str, payload: dict[str, Any]) -> list[str]:
    """Where an event is shown. `user:{id}` is what its owner subscribes to as `me`."""
    shown = [
        f"{kind}:{payload[field]}"
        for kind, field in (("user", "user_id"), ("request", "request_id"), ("return", "return_id"))
        if payload.get(field)
    ]
    if event_type.startswith("delivery."):
        shown.append("deliveries")
    if event_type.startswith("robot.") and not event_type.startswith("robot.command."):
        shown.append("robots")
    if payload.get("robot_id"):
        shown.append(f"robot:{payload['robot_id']}")
    if event_type.startswith("catalog.book."):
        shown.append("catalog")
    if payload.get("job_id"):
        shown.append(f"imports:{payload['job_id']}")
    if event_type in _ALERTS or payload.get("level") in _CRITICAL_LEVELS:
        shown.append("alerts")
    return shown


def publish(envelopes: Sequence[dict[str, Any]]) -> bool:
    """Show events to whoever watches; False when Redis could not take them."""
    messages = []
    for event in envelopes:
        shown = topics(event["eventType"], event["payload"])
        if shown:
            messages.append(json.dumps({"topics": shown, "event": event}))
    if not messages:
        return True
    with redis.guarded():
        pipeline = redis.client().pipeline(transaction=False)
        for message in messages:
            pipeline.publish(channels.LIVE, message)
        pipeline.execute()
        return True
    return False


def position_update(shown: Sequence[str], data: dict[str, Any]) -> commit_hooks.Signal:
    """A robot's position for the live view; `data["id"]` is the robot's.

    Only the latest of each robot counts, so it has no `pos`.
    """
    return commit_hooks.Publish(
        channels.LIVE, json.dumps({"topics": list(shown), "position": data}).encode()
    )


class Listener:
    """One subscription of a process, held through outages; `deliver` gets channel and body.

    `subscribed` is called whenever Redis has confirmed the subscription, the first time and after
    every break: what was published before is lost to this process.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        deliver: Callable[[str, bytes], None],
        subscribed: Callable[[], None] | None = None,
    ) -> None:
        self._patterns = patterns
        self._deliver = deliver
        self._subscribed = subscribed
        self.connected = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                if self.connected.is_set():
                    _log.warning("the live view waits for redis", error=str(error))
                self.connected.clear()
                await asyncio.sleep(0.2)

    async def _listen(self) -> None:
        async with redis.async_client().pubsub() as subscription:
            await subscription.psubscribe(*self._patterns)
            asked = False
            while True:
                message = await subscription.get_message(timeout=_SILENCE_SECONDS)
                if message is None and asked:
                    raise RedisConnectionError("no answer to a ping")
                asked = message is None
                if message is None:
                    await subscription.ping()
                else:
                    self._handle(message)

    def _handle(self, message: dict[str, Any]) -> None:
        """The client library reconnects by itself too: then Redis confirms the patterns anew."""
        if message["type"] == "pmessage":
            self._deliver(message["channel"].decode(), message["data"])
        elif message["type"] == "psubscribe" and message["data"] == len(self._patterns):
            self.connected.set()
            if self._subscribed is not None:
                self._subscribed()
