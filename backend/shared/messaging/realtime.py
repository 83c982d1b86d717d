"""Redis publish/subscribe of the live view: topics of events, publishing, listening.

One channel carries all events with their topics; every notification instance receives them all
and forwards to each socket what it subscribed to. Long polls are woken by other channels.
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
_PING_AFTER_SECONDS = 3
# Events that raise or end an alert.
_ALERTS = frozenset(
    {
        "delivery.task.needs_attention",
        "delivery.task.failed",
        "system.event.died",
        "system.watchdog.late",
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
    """Return the topics of an event. Its owner subscribes to `user:{id}` as `me`."""
    shown = [
        f"{kind}:{payload[field]}"
        for kind, field in (("user", "user_id"), ("request", "request_id"), ("return", "return_id"))
        if payload.get(field)
    ]
    is_alert = event_type.startswith("delivery.alert.")
    if event_type.startswith("delivery.") and not is_alert:
        shown.append("deliveries")
    if event_type.startswith("robot.") and not event_type.startswith("robot.command."):
        shown.append("robots")
    if payload.get("robot_id") and not payload.get("robots"):
        shown.append(f"robot:{payload['robot_id']}")
    shown += [f"robot:{robot['robot_id']}" for robot in payload.get("robots", ())]
    if event_type.startswith("catalog.book."):
        shown.append("catalog")
    if payload.get("job_id"):
        shown.append(f"imports:{payload['job_id']}")
    if is_alert or event_type in _ALERTS or payload.get("level") in _CRITICAL_LEVELS:
        shown.append("alerts")
    return shown


def publish(envelopes: Sequence[dict[str, Any]]) -> bool:
    """Publish events to the live view; False when Redis is not available."""
    messages = []
    for event in envelopes:
        shown = topics(event["eventType"], event["payload"])
        if shown:
            messages.append(json.dumps({"topics": shown, "event": event}))
    if not messages:
        return True
    with redis.suppress_errors():
        pipeline = redis.client().pipeline(transaction=False)
        for message in messages:
            pipeline.publish(channels.LIVE, message)
        pipeline.execute()
        return True
    return False


def position_update(shown: Sequence[str], data: str) -> commit_hooks.Publish:
    """Build the message with a robot's position (JSON with the robot's `id`) for the live view.

    Only the latest of each robot counts, so it has no `pos`.
    """
    return commit_hooks.Publish(
        channels.LIVE, f'{{"topics": {json.dumps(list(shown))}, "position": {data}}}'.encode()
    )


class Listener:
    """A subscription that reconnects after outages; `deliver` receives channel and body.

    `subscribed` is called each time Redis has confirmed the subscription: messages published
    before are lost to this process. `lost` is called once when an outage begins.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        deliver: Callable[[str, bytes], None],
        subscribed: Callable[[], None] | None = None,
        lost: Callable[[], None] | None = None,
    ) -> None:
        self._patterns = patterns
        self._deliver = deliver
        self._subscribed = subscribed
        self._lost = lost
        self.connected = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                if self.connected.is_set():
                    self._disconnected(error)
                await asyncio.sleep(0.2)

    async def _listen(self) -> None:
        async with redis.async_client().pubsub() as subscription:
            await subscription.psubscribe(*self._patterns)
            pinged = False
            while True:
                message = await subscription.get_message(timeout=_PING_AFTER_SECONDS)
                if message is None and pinged:
                    raise RedisConnectionError("no answer to a ping")
                pinged = message is None
                if message is None:
                    await subscription.ping()
                else:
                    self._handle(message)

    def _disconnected(self, error: Exception) -> None:
        _log.warning("the live view lost its connection to redis", error=str(error))
        self.connected.clear()
        if self._lost is not None:
            self._lost()

    def _handle(self, message: dict[str, Any]) -> None:
        """Deliver a message; a confirmation also follows a reconnect by the client library."""
        if message["type"] == "pmessage":
            try:
                self._deliver(message["channel"].decode(), message["data"])
            except Exception:  # noqa: BLE001 (whoever reaches Redis can publish anything)
                _log.warning("invalid message", channel=str(message["channel"])[:100])
        elif message["type"] == "psubscribe" and message["data"] == len(self._patterns):
            self.connected.set()
            if self._subscribed is not None:
                self._subscribed()
