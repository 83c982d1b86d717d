"""Connections to Redis, whose failure never fails a request.

Every use is inside `suppress_errors()`: a failure is logged once and Redis is not used for a
second, so that a dead or hanging server costs one short timeout and not one per request.
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
_SOCKET_TIMEOUT = 2.0
_down_until = 0.0


@cache
def client() -> "_redis.Redis":
    """Return the synchronous client; threads share its pool."""
    return _redis.Redis.from_url(
        config.redis().redis_url,
        socket_connect_timeout=_CONNECT_TIMEOUT,
        socket_timeout=_SOCKET_TIMEOUT,
        retry=Retry(NoBackoff(), 1),
    )


@cache
def cache_client() -> "_redis.Redis":
    """Return the client of the cache: the same one unless LUNA_CACHE_URL is set."""
    url = config.redis().cache_url
    if url is None:
        return client()
    return _redis.Redis.from_url(
        url, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_SOCKET_TIMEOUT
    )


@cache
def async_client() -> "_redis_async.Redis":
    """Return the client of the process's event loop."""
    return _redis_async.Redis.from_url(
        config.redis().redis_url,
        socket_connect_timeout=_CONNECT_TIMEOUT,
        socket_timeout=_SOCKET_TIMEOUT,
    )


@cache
def async_cache_client() -> "_redis_async.Redis":
    """Return the cache's client of the event loop."""
    url = config.redis().cache_url
    if url is None:
        return async_client()
    return _redis_async.Redis.from_url(
        url, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_SOCKET_TIMEOUT
    )


async def close_async() -> None:
    """Close the clients of the event loop; nothing may use them any more."""
    for opened in {async_client(), async_cache_client()}:
        await opened.aclose()


def is_up() -> bool:
    """Return False for a second after a failure."""
    return time.monotonic() >= _down_until


class suppress_errors:  # noqa: N801 (used like a function: `with redis.suppress_errors():`)
    """Log and suppress errors of Redis; the caller continues without it."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        global _down_until  # noqa: PLW0603 (one circuit breaker per process)
        if not isinstance(error, (RedisError, OSError)):
            return False
        if is_up():
            _log.warning("redis unavailable", error=str(error))
        _down_until = time.monotonic() + _PAUSE_SECONDS
        return True
