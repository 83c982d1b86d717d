"""Connections and subscriptions of this process, and the fan-out of changes to them.

One Redis listener receives all events; a message is serialized once per topic and queued on each
subscribed socket. A topic is buffered from its subscription on, then its snapshot is read, so that
no change is lost between the two. A fixed number of readers takes all snapshots, so that a thousand
clients that reconnect at once do not exhaust the database's connections.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.notification.live import handshake, messages, snapshots
from backend.notification.live.connection_user import ConnectionUser
from backend.notification.live.sockets import (
    MAX_TOPICS,
    Ping,
    Socket,
    Subscribe,
    Subscription,
    parse_client_message,
)
from backend.notification.live.topics import Topic, name_of, topic_of
from backend.shared.errors import Forbidden, Invalid, LunaError, NotFound, TokenExpired
from backend.shared.infra import async_database, clock, logs
from backend.shared.messaging import channels, realtime
from backend.shared.web.security import session_validity
from backend.shared.web.security.session_validity import SessionState

_log = logs.get(__name__)
_MAX_SOCKETS_PER_USER = 10
_SNAPSHOT_READERS = 2
_SESSION_CHECK_INTERVAL = 1.0  # seconds
_DATABASE_RETRY_INTERVAL = 0.5  # seconds
_DATABASE_UNAVAILABLE = (InterfaceError, OperationalError, PoolTimeout, OSError)


class ConnectionManager:
    """All WebSockets of this process."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._sockets_per_user: Counter[UUID] = Counter()
        self._subscribers: dict[str, dict[Socket, Subscription]] = {}
        self._pending_snapshots: asyncio.Queue[tuple[Socket, Subscription]] = asyncio.Queue()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen to Redis, read snapshots and check sessions while the context is open."""
        listener = realtime.Listener([channels.LIVE], self._on_message, self._resync)
        work = [
            listener.run(),
            self._check_sessions(),
            *(self._read_snapshots() for _ in range(_SNAPSHOT_READERS)),
        ]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- connections -----------------------------------------------------------------------------

    async def serve(self, websocket: WebSocket) -> None:
        """Authenticate a client and serve it until it disconnects; close it when refused."""
        offered = websocket.scope["subprotocols"]
        protocol = handshake.PROTOCOL if handshake.PROTOCOL in offered else None
        try:
            user = await handshake.authenticate(websocket)
            socket = self._register(user)
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

    def _register(self, user: ConnectionUser) -> Socket:
        if self._sockets_per_user[user.user_id] >= _MAX_SOCKETS_PER_USER:
            raise Forbidden(f"At most {_MAX_SOCKETS_PER_USER} connections a user. Close one first.")
        socket = Socket(user)
        self._sockets_per_user[user.user_id] += 1
        self._sockets.add(socket)
        return socket

    def _unregister(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        self._sockets_per_user[socket.user.user_id] -= 1
        if not self._sockets_per_user[socket.user.user_id]:
            del self._sockets_per_user[socket.user.user_id]
        for name in list(socket.subscriptions):
            self._unsubscribe(socket, name)

    async def _read(self, websocket: WebSocket, socket: Socket) -> None:
        try:
            while (message := await websocket.receive())["type"] == "websocket.receive":
                self._handle(socket, message.get("text"))
        finally:
            socket.disconnected()

    def _handle(self, socket: Socket, text: str | None) -> None:
        message = parse_client_message(text)
        if message is None:
            failure = Invalid("Send JSON: subscribe or unsubscribe with topics, or ping.")
            socket.enqueue(messages.error(None, failure))
        elif isinstance(message, Ping):
            socket.enqueue(messages.pong())
        elif isinstance(message, Subscribe):
            for name in message.topics:
                self._subscribe(socket, name)
        else:
            for name in message.topics:
                self._unsubscribe(socket, name)

    def _subscribe(self, socket: Socket, name: str) -> None:
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
            self._add(socket, topic)

    def _add(self, socket: Socket, topic: Topic) -> None:
        """Buffer the topic's changes from now on and request its snapshot."""
        subscription = Subscription(topic)
        socket.subscriptions[topic.name] = subscription
        self._subscribers.setdefault(topic.channel, {})[socket] = subscription
        self._pending_snapshots.put_nowait((socket, subscription))

    def _unsubscribe(self, socket: Socket, name: str) -> None:
        subscription = socket.subscriptions.pop(name, None)
        if subscription is None:
            return
        channel = subscription.topic.channel
        subscribers = self._subscribers[channel]
        del subscribers[socket]
        if not subscribers:
            del self._subscribers[channel]

    # --- snapshots -------------------------------------------------------------------------------

    async def _read_snapshots(self) -> None:
        while True:
            socket, subscription = await self._pending_snapshots.get()
            try:
                await self._read_snapshot(socket, subscription)
            except _DATABASE_UNAVAILABLE as error:
                _log.warning(
                    "database unavailable, snapshot is retried", error=str(error).splitlines()[0]
                )
                self._pending_snapshots.put_nowait((socket, subscription))
                await asyncio.sleep(_DATABASE_RETRY_INTERVAL)
            except Exception:  # noqa: BLE001 (a failed topic must not stop the reader)
                _log.exception("snapshot failed", topic=subscription.topic.name)
                self._refuse(socket, subscription, LunaError())

    async def _read_snapshot(self, socket: Socket, subscription: Subscription) -> None:
        if not self._is_current(socket, subscription):
            return
        topic = subscription.topic
        pos, data = await async_database.run(_read_topic, topic, socket.user)
        if not self._is_current(socket, subscription):
            return
        if data is None:
            self._refuse(socket, subscription, NotFound("Topic not found."))
        else:
            socket.send_snapshot(subscription, messages.snapshot(topic.name, pos, data), pos)

    def _is_current(self, socket: Socket, subscription: Subscription) -> bool:
        """Return False once it was cancelled, or replaced after a resync."""
        return socket.subscriptions.get(subscription.topic.name) is subscription

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
                for socket, subscription in subscribers.items():
                    socket.enqueue_change(subscription, event["pos"], text)

    def _send_position(self, channels: Iterable[str], position: dict[str, Any]) -> None:
        for channel in channels:
            subscribers = self._subscribers.get(channel)
            if subscribers:
                text = messages.position(name_of(channel), position)
                key = (channel, position["id"])
                for socket, subscription in subscribers.items():
                    if subscription.buffer is None:
                        socket.enqueue_latest(key, text)

    def _resync(self) -> None:
        """Send new snapshots: before Redis confirmed the subscription, events may be missed."""
        for socket in self._sockets:
            for subscription in list(socket.subscriptions.values()):
                socket.enqueue(messages.resync(subscription.topic.name))
                self._add(socket, subscription.topic)

    # --- sessions --------------------------------------------------------------------------------

    async def _check_sessions(self) -> None:
        """Close sockets at the end of their token or session, and of changed accounts."""
        while True:
            await asyncio.sleep(_SESSION_CHECK_INTERVAL)
            self._close_expired()
            session_ids = {socket.user.session_id for socket in self._sockets}
            if session_ids:
                with suppress(SQLAlchemyError, OSError):  # the next check repeats it
                    states = await async_database.read(session_validity.read, session_ids)
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


def _read_topic(
    session: Session, topic: Topic, user: ConnectionUser
) -> tuple[int, dict[str, Any] | None]:
    pos = snapshots.begin_transaction(session)
    return pos, topic.read(session, user, topic.resource_id)
