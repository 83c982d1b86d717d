"""What leaves the database at commit: wake-ups, live positions, forgotten cache keys.

Losing one is harmless by design: whoever waits for a wake-up also looks by itself, and every
cache key has a TTL. So Redis being down never fails a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.shared import log, redis

_log = log.get(__name__)


@dataclass(frozen=True)
class Wake:
    """Publish `body` on a Redis channel."""

    channel: str
    body: bytes = b""


@dataclass(frozen=True)
class Forget:
    """Delete a cached answer."""

    key: str


@dataclass(frozen=True)
class Bump:
    """Raise a version key that is part of cache keys, so that all of them are forgotten at once."""

    key: str


Signal = Wake | Forget | Bump


def of(session: Session) -> list[Signal]:
    pending: list[Signal] = session.info.setdefault("on_commit", [])
    return pending


def send(signals: Sequence[Signal]) -> None:
    if not signals or not redis.is_up():
        return
    with redis.guarded():
        pipeline = redis.client().pipeline(transaction=False)
        for signal in signals:
            match signal:
                case Wake(channel, body):
                    pipeline.publish(channel, body)
                case Forget(key):
                    pipeline.delete(key)
                case Bump(key):
                    pipeline.incr(key)
        pipeline.execute()


async def send_async(signals: Sequence[Signal]) -> None:
    """The same from the event loop (the asynchronous edge)."""
    if not signals or not redis.is_up():
        return
    with redis.guarded():
        pipeline = redis.async_client().pipeline(transaction=False)
        for signal in signals:
            match signal:
                case Wake(channel, body):
                    pipeline.publish(channel, body)
                case Forget(key):
                    pipeline.delete(key)
                case Bump(key):
                    pipeline.incr(key)
        await pipeline.execute()
