"""Connections to Redis, and the rule that its absence is never an error of ours.

Every use stands inside `guarded()`: a failure is logged once, and for a second nobody tries again,
so that a dead or hanging Redis costs one short timeout and not one a request.
"""

import time
from functools import cache

import redis as _redis
import redis.asyncio as _redis_async
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from backend.shared.infra import config, logs

_log = logs.get(__name__)
_PAUSE_SECONDS = 1.0
_CONNECT_TIMEOUT = 0.5
_ANSWER_TIMEOUT = 2.0
_down_until = 0.0


@cache
def client() -> "_redis.Redis":
    """The synchronous client; its pool is safe to share between threads."""
    return _redis.Redis.from_url(
        config.redis().redis_url,
        socket_connect_timeout=_CONNECT_TIMEOUT,
        socket_timeout=_ANSWER_TIMEOUT,
        retry=Retry(NoBackoff(), 1),
    )


@cache
def cache_client() -> "_redis.Redis":
    """The client of the cache: the same Redis unless another one is set."""
    url = config.redis().cache_url
    if url is None:
        return client()
    return _redis.Redis.from_url(
        url, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_ANSWER_TIMEOUT
    )


@cache
def async_client() -> "_redis_async.Redis":
    """The client of the event loop; one loop a process."""
    return _redis_async.Redis.from_url(
        config.redis().redis_url,
        socket_connect_timeout=_CONNECT_TIMEOUT,
        socket_timeout=_ANSWER_TIMEOUT,
    )


@cache
def async_cache_client() -> "_redis_async.Redis":
    """The cache's client on the event loop."""
    url = config.redis().cache_url
    if url is None:
        return async_client()
    return _redis_async.Redis.from_url(
        url, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_ANSWER_TIMEOUT
    )


async def close_async() -> None:
    """Close what the event loop used; nothing may be reading from it any more."""
    for made in {async_client(), async_cache_client()}:
        await made.aclose()


def is_up() -> bool:
    """False for a second after a failure."""
    return time.monotonic() >= _down_until


class guarded:  # noqa: N801 (used as a statement: `with redis.guarded():`)
    """Swallow and log failures of Redis inside; the caller goes on without it."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        global _down_until  # noqa: PLW0603 (one breaker a process)
        if not isinstance(error, (RedisError, OSError)):
            return False
        if is_up():
            _log.warning("redis does not answer", error=str(error))
        _down_until = time.monotonic() + _PAUSE_SECONDS
        return True
