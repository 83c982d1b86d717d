"""Rate limits: of writes per person, and of refusals.

Writes are counted in Redis; without Redis none are limited.
"""

import asyncio
import hashlib
import time
from uuid import UUID

from backend.shared.errors import RateLimited
from backend.shared.infra import config, redis


async def count_write(user_id: UUID, idempotency_key: str | None = None) -> None:
    """Count a person's write; RateLimited above the limit per second (0 = no limit).

    A repeat under the same Idempotency-Key writes nothing and is not counted.
    """
    limit = config.http().user_writes_per_second
    if not limit or not redis.is_up():
        return
    with redis.suppress_errors():
        if idempotency_key is not None and await _is_repeat(user_id, idempotency_key):
            return
        key = f"limit:writes:{user_id}:{int(time.time())}"
        pipeline = redis.async_client().pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, 2, nx=True)
        if int((await pipeline.execute())[0]) > limit:
            raise RateLimited


async def _is_repeat(user_id: UUID, key: str) -> bool:
    digest = hashlib.sha256(key.encode()).hexdigest()
    fresh = await redis.async_client().set(f"limit:key:{user_id}:{digest}", 1, nx=True, ex=60)
    return fresh is None


class RefusalQueue:
    """Lets callers with made-up credentials wait for their refusal, one after the other.

    A flood of them leaves the process to the others: it refuses so many per second, and each
    waits for its turn; a few at once wait for nothing.
    """

    def __init__(self, per_second: float, at_once: int, longest: float) -> None:
        """Limit the wait to `longest` seconds, so that few connections wait at a time."""
        self._interval = 1 / per_second
        self._credit = at_once * self._interval
        self._longest = longest
        self._next = 0.0  # when the next refusal would be due, by time.monotonic()

    def seconds_until_turn(self, now: float) -> float:
        """Take a place in the queue; return the seconds until its turn."""
        due = max(self._next, now - self._credit) + self._interval
        self._next = min(due, now + self._longest)
        return max(0.0, self._next - now)

    async def wait(self) -> None:
        """Wait for a turn."""
        await asyncio.sleep(self.seconds_until_turn(time.monotonic()))


REFUSALS = RefusalQueue(per_second=50, at_once=20, longest=5.0)
