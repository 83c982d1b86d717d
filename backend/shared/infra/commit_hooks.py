"""Redis operations sent after a commit: publish on a channel, invalidate cache keys.

Losing one is harmless: subscribers also poll, and every cache key has a TTL. So a failure of Redis
never fails a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from backend.shared.infra import cache_connection, config, redis


@dataclass(frozen=True)
class Publish:
    """Publish `body` on a Redis channel."""

    channel: str
    body: bytes = b""


@dataclass(frozen=True)
class Delete:
    """Delete a cache key."""

    key: str


@dataclass(frozen=True)
class Increment:
    """Increment a version that is part of cache keys, which invalidates all of them."""

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
    """Split signals into those for the messaging Redis and those for the cache's."""
    published: list[Signal] = [signal for signal in signals if isinstance(signal, Publish)]
    return published, [signal for signal in signals if not isinstance(signal, Publish)]


def send(signals: Sequence[Signal]) -> None:
    clients = (redis.client, redis.cache_client)
    for client, own in zip(clients, _by_server(signals), strict=True):
        if own and redis.is_up():
            with redis.suppress_errors():
                pipeline = client().pipeline(transaction=False)
                _fill(pipeline, own)
                pipeline.execute()


def _command(signal: Signal) -> cache_connection.Command:
    match signal:
        case Publish(channel, body):
            return "PUBLISH", channel, body
        case Delete(key):
            return "DEL", key
        case Increment(key):
            return "INCR", key


async def send_async(signals: Sequence[Signal]) -> None:
    """Send signals from the event loop."""
    settings = config.redis()
    urls = (settings.redis_url, settings.cache_url or settings.redis_url)
    for url, own in zip(urls, _by_server(signals), strict=True):
        if own and redis.is_up():
            with redis.suppress_errors():
                await cache_connection.run(url, list(map(_command, own)))
