"""One client: what it asks, what it watches, and what still has to be sent to it.

A client that does not read is given 256 waiting messages, then dropped with 4408 so that it
reconnects; nobody waits for it.
"""

import asyncio
from collections import deque
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.notification.live.connection_user import ConnectionUser
from backend.notification.live.topics import Topic

MOST_WAITING = 256
MOST_TOPICS = 100
_MOST_CHARACTERS = 16 * 1024
_TOO_SLOW = 4408
_NOBODY = 0
_PATIENCE_SECONDS = 10  # for a client that has to be told to go, but does not read


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


TopicName = Annotated[str, Field(max_length=64)]
TopicNames = Annotated[list[TopicName], Field(min_length=1, max_length=MOST_TOPICS)]


class Subscribe(_Asked):
    """`since` is where a client left off; until replay exists a snapshot answers it."""

    action: Literal["subscribe"]
    topics: TopicNames
    since: Annotated[dict[TopicName, int], Field(max_length=MOST_TOPICS)] | None = None


class Unsubscribe(_Asked):
    action: Literal["unsubscribe"]
    topics: TopicNames


class Ping(_Asked):
    action: Literal["ping"]


Wish = Subscribe | Unsubscribe | Ping
_wishes: TypeAdapter[Wish] = TypeAdapter(Annotated[Wish, Field(discriminator="action")])


def parse_client_message(text: str | None) -> Wish | None:
    """What a client asks for; None when it can't be understood."""
    if text is None or len(text) > _MOST_CHARACTERS:
        return None
    try:
        return _wishes.validate_json(text)
    except ValueError:
        return None


class Subscription:
    """One topic of one socket. Until its snapshot is sent, changes are kept in `buffer`."""

    __slots__ = ("buffer", "topic")

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.buffer: list[tuple[int, str]] | None = []


class Socket:
    """The server's end of one WebSocket."""

    __slots__ = ("_ending", "_latest", "_more", "_patience", "_waiting", "holder", "subscriptions")

    def __init__(self, holder: ConnectionUser) -> None:
        self.holder = holder
        self.subscriptions: dict[str, Subscription] = {}
        self._waiting: deque[str] = deque()
        self._latest: dict[tuple[str, str], str] = {}
        self._more = asyncio.Event()
        self._ending: tuple[int, str] | None = None
        self._patience: asyncio.Timeout | None = None

    def offer(self, text: str) -> None:
        """Send this as soon as the client reads."""
        if self._ending is not None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.end(_TOO_SLOW, "You read too slowly. Connect again.")
            return
        self._waiting.append(text)
        self._more.set()

    def offer_latest(self, key: tuple[str, str], text: str) -> None:
        """Send this, instead of what still waits under the same key."""
        if self._ending is None:
            self._latest[key] = text
            self._more.set()

    def offer_change(self, subscription: Subscription, pos: int, text: str) -> None:
        """Send a change of a topic, after the topic's snapshot."""
        if subscription.buffer is None:
            self.offer(text)
        elif len(subscription.buffer) < MOST_WAITING:
            subscription.buffer.append((pos, text))
        else:
            self.end(_TOO_SLOW, "More happens than can be sent. Connect again.")

    def send_snapshot(self, subscription: Subscription, snapshot: str, pos: int) -> None:
        """Send a topic's snapshot and those kept changes that are not in it."""
        kept, subscription.buffer = subscription.buffer or [], None
        self.offer(snapshot)
        for place, text in kept:
            if place > pos:
                self.offer(text)

    def end(self, code: int, reason: str) -> None:
        """Close with this code; what waits is given up."""
        if self._ending is not None:
            return
        self._ending = (code, reason)
        self._waiting.clear()
        self._latest.clear()
        self._more.set()
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + _PATIENCE_SECONDS)

    def gone(self) -> None:
        """The client has left: there is nobody to say goodbye to."""
        self.end(_NOBODY, "")

    async def _next(self) -> str | None:
        while self._ending is None:
            if self._waiting:
                return self._waiting.popleft()
            if self._latest:
                return self._latest.pop(next(iter(self._latest)))
            self._more.clear()
            await self._more.wait()
        return None

    async def write(self, websocket: WebSocket) -> None:
        """Send what is offered until the end; returns when the socket is closed or given up."""
        try:
            async with asyncio.timeout(None) as self._patience:
                while (text := await self._next()) is not None:
                    await websocket.send_text(text)
                if self._ending is not None and self._ending[0] != _NOBODY:
                    await websocket.close(*self._ending)
        except (TimeoutError, WebSocketDisconnect):
            return
