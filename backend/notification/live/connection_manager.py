"""Connections and subscriptions of this process, and the fan-out of changes to them.

One Redis listener receives all events; a message is serialized once per topic and queued on each
subscribed socket. A topic is buffered from its subscription on, then its snapshot is read, so that
no change is lost between the two.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from prometheus_client import Counter, Gauge
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.notification.live import handshake, messages
from backend.notification.live.connection_user import ConnectionUser
from backend.notification.live.sockets import (
    MAX_TOPICS,
    ClientMessage,
    Ping,
    Socket,
    Subscribe,
    Subscription,
    parse_client_message,
)
from backend.notification.live.subscription_reader import READERS, SubscriptionReader
from backend.notification.live.topics import name_of, topic_of
from backend.notification.live.user_connections import UserConnections
from backend.shared.errors import Invalid, LunaError, TokenExpired
from backend.shared.infra import background, clock, logs
from backend.shared.messaging import channels, realtime
from backend.shared.web.security import session_validity
from backend.shared.web.security.session_validity import SessionState
from backend.shared.web.server import frames

_log = logs.get(__name__)
_SOCKETS = Gauge("luna_live_sockets", "Open WebSockets")
_CLOSED_SLOW = Counter("luna_live_slow_clients", "WebSockets closed because their client was slow")
_SENT = Counter("luna_live_messages", "Changes queued on WebSockets")
_SESSION_CHECK_INTERVAL = 1.0  # seconds


class ConnectionManager:
    """All WebSockets of this process."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._users: dict[UUID, UserConnections] = {}
        self._subscribers: dict[str, dict[Socket, Subscription]] = {}
        self._reader = SubscriptionReader(self._refuse, self._started)
        self._is_stale = False  # whether Redis is away, so that no change arrives

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen to Redis, read snapshots and check sessions while the context is open."""
        listener = realtime.Listener(
            [channels.LIVE], self._on_message, self._resync, self._mark_stale
        )
        readers = [self._reader.run] * READERS
        tasks = background.start(listener.run, self._check_sessions, *readers)
        try:
            yield
        finally:
            await background.end(tasks)

    # --- connections -----------------------------------------------------------------------------

    async def serve(self, websocket: WebSocket) -> None:
        """Authenticate a client and serve it until it disconnects; close it when refused."""
        offered = websocket.scope["subprotocols"]
        protocol = handshake.PROTOCOL if handshake.PROTOCOL in offered else None
        try:
            user = await handshake.authenticate(websocket)
            socket = self._register(user, frames.writer_of(websocket.scope))
        except LunaError as failure:
            with suppress(WebSocketDisconnect):  # the client may be gone already
                await websocket.accept(protocol)
                await websocket.close(handshake.close_code(failure), failure.text)
            return
        try:
            await websocket.accept(protocol)
            reading = asyncio.create_task(self._read(websocket, socket))
            await socket.write(websocket)
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
        finally:
            self._unregister(socket)

    def _register(
        self, user: ConnectionUser, write_frame: Callable[[bytes], bool] | None
    ) -> Socket:
        self._users.setdefault(user.user_id, UserConnections()).add_socket()
        socket = Socket(user, write_frame)
        self._sockets.add(socket)
        _SOCKETS.inc()
        return socket

    def _unregister(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        _SOCKETS.dec()
        if socket.is_slow:
            _CLOSED_SLOW.inc()
        self._users[socket.user.user_id].sockets -= 1
        for name in list(socket.subscriptions):
            self._unsubscribe(socket, name)

    async def _read(self, websocket: WebSocket, socket: Socket) -> None:
        """Handle the client's messages; a client that sends too many waits for the next one."""
        user = self._users[socket.user.user_id]
        try:
            while (received := await websocket.receive())["type"] == "websocket.receive":
                message = parse_client_message(received.get("text"))
                await asyncio.sleep(user.count_message(message))
                self._handle(socket, message)
        finally:
            socket.disconnected()

    def _handle(self, socket: Socket, message: ClientMessage | None) -> None:
        if message is None:
            failure = Invalid("Send JSON: subscribe or unsubscribe with topics, or ping.")
            socket.enqueue(messages.error(None, failure))
        elif isinstance(message, Ping):
            socket.enqueue(messages.pong())
        elif isinstance(message, Subscribe):
            for name in message.topics:
                self._subscribe(socket, name, message.since.get(name))
        else:
            for name in message.topics:
                self._unsubscribe(socket, name)

    def _subscribe(self, socket: Socket, name: str, since: int | None) -> None:
        present = socket.subscriptions.get(name)
        if present is not None and present.buffer is not None:
            return  # its snapshot is pending
        try:
            topic = topic_of(name, socket.user)
            if present is None and len(socket.subscriptions) >= MAX_TOPICS:
                raise Invalid(f"At most {MAX_TOPICS} topics a connection.")
        except LunaError as failure:
            socket.enqueue(messages.error(name, failure))
        else:
            self._add(socket, Subscription(topic, since))

    def _add(self, socket: Socket, subscription: Subscription) -> None:
        """Buffer the topic's changes from now on and request its state."""
        topic = subscription.topic
        socket.subscriptions[topic.name] = subscription
        self._subscribers.setdefault(topic.channel, {})[socket] = subscription
        self._reader.request(socket, subscription)

    def _unsubscribe(self, socket: Socket, name: str) -> None:
        subscription = socket.subscriptions.pop(name, None)
        if subscription is None:
            return
        channel = subscription.topic.channel
        subscribers = self._subscribers[channel]
        del subscribers[socket]
        if not subscribers:
            del self._subscribers[channel]

    def _started(self, socket: Socket, subscription: Subscription) -> None:
        if self._is_stale:
            socket.enqueue(messages.resync(subscription.topic.name))

    def _refuse(self, socket: Socket, subscription: Subscription, failure: LunaError) -> None:
        name = subscription.topic.name
        self._unsubscribe(socket, name)
        socket.enqueue(messages.error(name, failure))

    # --- changes ---------------------------------------------------------------------------------

    def _on_message(self, _channel: str, body: bytes) -> None:
        try:
            message = json.loads(body)
            if "position" in message:
                self._send_position(message["topics"], message["position"])
            else:
                self._send_event(message["topics"], message["event"])
        except (ValueError, KeyError, TypeError):
            _log.exception("invalid message on the live channel")

    def _send_event(self, channels: Iterable[str], event: dict[str, Any]) -> None:
        for channel in channels:
            subscribers = self._subscribers.get(channel)
            if subscribers:
                text = messages.event(name_of(channel), event)
                frame = frames.text_frame(text)
                _SENT.inc(len(subscribers))
                for socket, subscription in subscribers.items():
                    socket.enqueue_change(subscription, event["pos"], text, frame)

    def _send_position(self, channels: Iterable[str], position: dict[str, Any]) -> None:
        for channel in channels:
            subscribers = self._subscribers.get(channel)
            if subscribers:
                text = messages.position(name_of(channel), position)
                key = (channel, position["id"])
                for socket, subscription in subscribers.items():
                    if subscription.buffer is None:
                        socket.enqueue_latest(key, text)

    def _mark_stale(self) -> None:
        """Announce that changes may be missed; snapshots follow when Redis is back."""
        self._is_stale = True
        for socket in self._sockets:
            for name in socket.subscriptions:
                socket.enqueue(messages.resync(name))

    def _resync(self) -> None:
        """Send new snapshots: before Redis confirmed the subscription, events may be missed."""
        was_announced, self._is_stale = self._is_stale, False
        for socket in self._sockets:
            for subscription in list(socket.subscriptions.values()):
                if not was_announced:
                    socket.enqueue(messages.resync(subscription.topic.name))
                self._add(socket, Subscription(subscription.topic))

    # --- sessions --------------------------------------------------------------------------------

    async def _check_sessions(self) -> None:
        """Close sockets at the end of their token or session, and of changed accounts."""
        while True:
            await asyncio.sleep(_SESSION_CHECK_INTERVAL)
            self._close_expired()
            for user_id in [key for key, user in self._users.items() if user.is_idle]:
                del self._users[user_id]
            session_ids = {socket.user.session_id for socket in self._sockets}
            if session_ids:
                with suppress(SQLAlchemyError, OSError):  # the next check repeats it
                    states = await session_validity.read(session_ids)
                    self._close_refused(session_ids, states)

    def _close_expired(self) -> None:
        now, failure = clock.now(), TokenExpired()
        for socket in self._sockets:
            if socket.user.expires_at <= now:
                socket.close(handshake.close_code(failure), failure.text)

    def _close_refused(self, checked: set[UUID], states: dict[UUID, SessionState]) -> None:
        for socket in self._sockets:
            user = socket.user
            if user.session_id in checked:
                state = states.get(user.session_id)
                failure = session_validity.refusal(state, role=user.role, epoch=user.epoch)
                if failure is not None:
                    socket.close(handshake.close_code(failure), failure.text)
