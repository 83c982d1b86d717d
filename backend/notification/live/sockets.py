"""One WebSocket: messages from its client, its subscriptions, and its queue of messages to send.

A client that does not read is closed with 4408 at 256 queued messages, so that it reconnects and
slows no other.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.notification.live.connection_user import ConnectionUser
from backend.notification.live.topics import Topic

MAX_QUEUED_MESSAGES = 256
MAX_TOPICS = 100
_MAX_MESSAGE_CHARACTERS = 16 * 1024
_TOO_SLOW = 4408
_CLIENT_GONE = 0
_CLOSE_TIMEOUT = 10  # seconds in which a client that does not read can take the close frame


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


TopicName = Annotated[str, Field(max_length=64)]
Position = Annotated[int, Field(ge=0, lt=2**63)]
TopicNames = Annotated[list[TopicName], Field(min_length=1, max_length=MAX_TOPICS)]


class Subscribe(_Message):
    """`since` is the last position seen of a topic: what was missed is replayed."""

    action: Literal["subscribe"]
    topics: TopicNames
    since: Annotated[dict[TopicName, Position], Field(max_length=MAX_TOPICS)] = {}


class Unsubscribe(_Message):
    action: Literal["unsubscribe"]
    topics: TopicNames


class Ping(_Message):
    action: Literal["ping"]


ClientMessage = Subscribe | Unsubscribe | Ping
_client_messages: TypeAdapter[ClientMessage] = TypeAdapter(
    Annotated[ClientMessage, Field(discriminator="action")]
)


def parse_client_message(text: str | None) -> ClientMessage | None:
    """Parse a message; None when it is invalid."""
    if text is None or len(text) > _MAX_MESSAGE_CHARACTERS:
        return None
    try:
        return _client_messages.validate_json(text)
    except ValueError:
        return None


class Subscription:
    """One topic of one socket. Until its first message is sent, `buffer` holds its changes.

    That message holds all changes up to `pos`; one of them may be published late.
    """

    __slots__ = ("buffer", "pos", "since", "topic")

    def __init__(self, topic: Topic, since: int | None = None) -> None:
        self.topic = topic
        self.since = since
        self.pos = -1
        self.buffer: list[tuple[int, str]] | None = []


class Socket:
    """The server's side of one WebSocket."""

    __slots__ = (
        "_close",
        "_close_timeout",
        "_is_sending",
        "_latest",
        "_queue",
        "_ready",
        "_write_frame",
        "subscriptions",
        "user",
    )

    def __init__(
        self, user: ConnectionUser, write_frame: Callable[[bytes], bool] | None = None
    ) -> None:
        self.user = user
        self._write_frame = write_frame  # of the server, which returns False when it cannot
        self._is_sending = False
        self.subscriptions: dict[str, Subscription] = {}
        self._queue: deque[str] = deque()
        self._latest: dict[tuple[str, str], str] = {}
        self._ready = asyncio.Event()
        self._close: tuple[int, str] | None = None
        self._close_timeout: asyncio.Timeout | None = None

    def enqueue(self, text: str) -> None:
        """Send a message when the client reads; close the socket when the queue is full."""
        if self._close is not None:
            return
        if len(self._queue) >= MAX_QUEUED_MESSAGES:
            self.close(_TOO_SLOW, "The client reads too slowly. Connect again.")
            return
        self._queue.append(text)
        self._ready.set()

    def enqueue_latest(self, key: tuple[str, str], text: str) -> None:
        """Send a message, in place of a queued one with the same key."""
        if self._close is None:
            self._latest[key] = text
            self._ready.set()

    def enqueue_change(self, subscription: Subscription, pos: int, text: str, frame: bytes) -> None:
        """Send a change of a topic, after its snapshot; `frame` is the text as it is sent.

        A socket with nothing to send takes the frame at once: to wake its task costs ten times
        as much, and an event may go to thousands.
        """
        if subscription.buffer is None:
            if pos > subscription.pos and not self._send_now(frame):
                self.enqueue(text)
        elif len(subscription.buffer) < MAX_QUEUED_MESSAGES:
            subscription.buffer.append((pos, text))
        else:
            self.close(_TOO_SLOW, "Too many changes before the snapshot. Connect again.")

    def _send_now(self, frame: bytes) -> bool:
        if self._write_frame is None or self._is_sending or self._queue or self._close is not None:
            return False
        return self._write_frame(frame)

    def is_current(self, subscription: Subscription) -> bool:
        """Return False once a subscription was cancelled, or replaced after a resync."""
        return self.subscriptions.get(subscription.topic.name) is subscription

    def start(self, subscription: Subscription, texts: Iterable[str], pos: int) -> None:
        """Send a topic's state up to `pos` and the buffered changes after it."""
        buffered, subscription.buffer = subscription.buffer or [], None
        subscription.pos = pos
        for text in texts:
            self.enqueue(text)
        for change_pos, text in buffered:
            if change_pos > pos:
                self.enqueue(text)

    def close(self, code: int, reason: str) -> None:
        """Close with this code; drop the queued messages."""
        if self._close is not None:
            return
        self._close = (code, reason)
        self._queue.clear()
        self._latest.clear()
        self._ready.set()
        if self._close_timeout is not None:
            self._close_timeout.reschedule(asyncio.get_running_loop().time() + _CLOSE_TIMEOUT)

    @property
    def is_slow(self) -> bool:
        """Return whether it was closed because its client reads too slowly."""
        return self._close is not None and self._close[0] == _TOO_SLOW

    def disconnected(self) -> None:
        """Stop writing; the client has closed the connection."""
        self.close(_CLIENT_GONE, "")

    async def _next(self) -> str | None:
        while self._close is None:
            if self._queue:
                return self._queue.popleft()
            if self._latest:
                return self._latest.pop(next(iter(self._latest)))
            self._ready.clear()
            await self._ready.wait()
        return None

    async def write(self, websocket: WebSocket) -> None:
        """Send queued messages until the socket is closed or the close times out."""
        try:
            async with asyncio.timeout(None) as self._close_timeout:
                while (text := await self._next()) is not None:
                    self._is_sending = True
                    await websocket.send_text(text)
                    self._is_sending = False
                if self._close is not None and self._close[0] != _CLIENT_GONE:
                    await websocket.close(*self._close)
        except (TimeoutError, WebSocketDisconnect):
            return
