"""What leaves the database at commit: wake-ups, live positions, forgotten cache keys.

Losing one is harmless by design: whoever waits for a wake-up also looks by itself, and every
cache key has a TTL. So Redis being down never fails a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from backend.shared.infra import redis


@dataclass(frozen=True)
class Publish:
    """Publish `body` on a Redis channel."""

    channel: str
    body: bytes = b""


@dataclass(frozen=True)
class Delete:
    """Delete a cached answer."""

    key: str


@dataclass(frozen=True)
class Increment:
    """Raise a version key that is part of cache keys, so that all of them are forgotten at once."""

    key: str


Signal = Publish | Delete | Increment


def of(session: Session) -> list[Signal]:
    pending: list[Signal] = session.info.setdefault("on_commit", [])
    return pending


def _fill(pipeline: Any, signals: Sequence[Signal]) -> None:
    for signal in signals:
        match signal:
            case Publish(channel, body):
                pipeline.publish(channel, body)
            case Delete(key):
                pipeline.delete(key)
            case Increment(key):
                pipeline.incr(key)


def _by_server(signals: Sequence[Signal]) -> tuple[list[Signal], list[Signal]]:
    """Those for the messaging Redis, and those for the cache, which may be another one."""
    wakes: list[Signal] = [signal for signal in signals if isinstance(signal, Publish)]
    return wakes, [signal for signal in signals if not isinstance(signal, Publish)]


def send(signals: Sequence[Signal]) -> None:
    clients = (redis.client, redis.cache_client)
    for client, mine in zip(clients, _by_server(signals), strict=True):
        if mine and redis.is_up():
            with redis.guarded():
                pipeline = client().pipeline(transaction=False)
                _fill(pipeline, mine)
                pipeline.execute()


async def send_async(signals: Sequence[Signal]) -> None:
    """The same from the event loop (the asynchronous edge)."""
    clients = (redis.async_client, redis.async_cache_client)
    for client, mine in zip(clients, _by_server(signals), strict=True):
        if mine and redis.is_up():
            with redis.guarded():
                pipeline = client().pipeline(transaction=False)
                _fill(pipeline, mine)
                await pipeline.execute()
