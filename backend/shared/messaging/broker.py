"""The Redis transport of Celery, corrected for the loss of its connection."""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError


class Channel(kombu_redis.Channel):
    """A channel whose use after the loss of its connection is a connection error."""

    def _connparams(self, asynchronous: bool = False) -> Any:  # noqa: FBT001, FBT002 (kombu's signature)
        """Return the parameters of a new connection.

        Closing a channel gives its messages back, and a finished task acknowledges its own. Where
        the connection is closed already, kombu raises AttributeError, which ends the worker
        without order; a connection error makes it connect again.
        """
        if self.connection.client is None:
            raise RedisConnectionError("the connection of this channel is closed")
        return super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]  # it has no types


class Transport(kombu_redis.Transport):
    Channel = Channel


def url(redis_url: str) -> str:
    """Return the URL with which Celery uses this transport."""
    if redis_url.startswith("unix://"):
        address, _, query = redis_url.removeprefix("unix://").partition("?")
        number = query.removeprefix("db=") or "0"
        return f"luna+socket://{address}?virtual_host={number}"
    return redis_url.replace("redis://", "luna://", 1)


def queue_length(client: Redis, queue: str) -> int:
    """Return how many messages wait in a queue; each priority but the first has its own list."""
    with client.pipeline(transaction=False) as pipeline:
        for priority in Channel.priority_steps:
            pipeline.llen(f"{queue}{Channel.sep}{priority}" if priority else queue)
        return sum(pipeline.execute())


TRANSPORT_ALIASES["luna"] = f"{__name__}:Transport"
