"""Who watches what in this process, and how a change reaches them.

One Redis listener hears everything; a message is written once per topic and given to each socket
that watches it. A topic is buffered from the moment it is asked for, then its snapshot is read:
so no change falls between the two. A few readers take all snapshots, so that a thousand clients
that come back at once wait in line and not at the database's door.
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
    MOST_TOPICS,
    Ping,
    Socket,
    Subscribe,
    Subscription,
    parse_client_message,
)
from backend.notification.live.topics import Topic, name_of, topic_of
from backend.shared.errors import Forbidden, Invalid, LunaError, NotFound
from backend.shared.infra import async_database, logs
from backend.shared.messaging import channels, realtime
from backend.shared.web.security import session_validity
from backend.shared.web.security.session_validity import SessionState

_log = logs.get(__name__)
_SOCKETS_PER_PERSON = 10
_SNAPSHOT_READERS = 2
_SESSION_CHECK_SECONDS = 1.0
_DATABASE_PAUSE_SECONDS = 0.5
_ABSENT = (InterfaceError, OperationalError, PoolTimeout, OSError)


class ConnectionManager:
    """All sockets of this process."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._per_person: Counter[UUID] = Counter()
        self._watchers: dict[str, dict[Socket, Subscription]] = {}
        self._unread: asyncio.Queue[tuple[Socket, Subscription]] = asyncio.Queue()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen, read snapshots and look after sessions as long as the app runs."""
        listener = realtime.Listener([channels.LIVE], self._heard, self._resync)
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

    # --- one client ------------------------------------------------------------------------------

    async def serve(self, websocket: WebSocket) -> None:
        """Let a client in, or close at once with the reason's code, and serve it to its end."""
        offered = websocket.scope["subprotocols"]
        protocol = handshake.PROTOCOL if handshake.PROTOCOL in offered else None
        try:
            holder = await handshake.admit(websocket)
            socket = self._join(holder)
        except LunaError as problem:
            with suppress(WebSocketDisconnect):  # it may not have waited for our no
                await websocket.accept(protocol)
                await websocket.close(handshake.close_code(problem), problem.text)
            return
        try:
            await websocket.accept(protocol)
            reading = asyncio.create_task(self._read(websocket, socket))
            await socket.write(websocket)
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
        finally:
            self._leave(socket)

    def _join(self, holder: ConnectionUser) -> Socket:
        if self._per_person[holder.user_id] >= _SOCKETS_PER_PERSON:
            raise Forbidden(f"At most {_SOCKETS_PER_PERSON} connections a person. Close one first.")
        socket = Socket(holder)
        self._per_person[holder.user_id] += 1
        self._sockets.add(socket)
        return socket

    def _leave(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        self._per_person[socket.holder.user_id] -= 1
        if not self._per_person[socket.holder.user_id]:
            del self._per_person[socket.holder.user_id]
        for name in list(socket.subscriptions):
            self._unsubscribe(socket, name)

    async def _read(self, websocket: WebSocket, socket: Socket) -> None:
        try:
            while (message := await websocket.receive())["type"] == "websocket.receive":
                self._grant(socket, message.get("text"))
        finally:
            socket.gone()

    def _grant(self, socket: Socket, text: str | None) -> None:
        wish = parse_client_message(text)
        if wish is None:
            problem = Invalid("Send JSON: subscribe or unsubscribe with topics, or ping.")
            socket.offer(messages.error(None, problem))
        elif isinstance(wish, Ping):
            socket.offer(messages.pong())
        elif isinstance(wish, Subscribe):
            for name in wish.topics:
                self._subscribe(socket, name)
        else:
            for name in wish.topics:
                self._unsubscribe(socket, name)

    def _subscribe(self, socket: Socket, name: str) -> None:
        present = socket.subscriptions.get(name)
        if present is not None and present.buffer is not None:
            return  # its snapshot is on its way
        try:
            topic = topic_of(name, socket.holder)
            if present is None and len(socket.subscriptions) >= MOST_TOPICS:
                raise Invalid(f"At most {MOST_TOPICS} topics a connection.")
        except LunaError as problem:
            socket.offer(messages.error(name, problem))
        else:
            self._watch(socket, topic)

    def _watch(self, socket: Socket, topic: Topic) -> None:
        """Keep the topic's changes from now on, and have its snapshot read."""
        subscription = Subscription(topic)
        socket.subscriptions[topic.name] = subscription
        self._watchers.setdefault(topic.channel, {})[socket] = subscription
        self._unread.put_nowait((socket, subscription))

    def _unsubscribe(self, socket: Socket, name: str) -> None:
        subscription = socket.subscriptions.pop(name, None)
        if subscription is None:
            return
        channel = subscription.topic.channel
        watchers = self._watchers[channel]
        del watchers[socket]
        if not watchers:
            del self._watchers[channel]

    # --- snapshots -------------------------------------------------------------------------------

    async def _read_snapshots(self) -> None:
        while True:
            socket, subscription = await self._unread.get()
            try:
                await self._read_snapshot(socket, subscription)
            except _ABSENT as error:
                _log.warning("a snapshot waits for the database", error=str(error).splitlines()[0])
                self._unread.put_nowait((socket, subscription))
                await asyncio.sleep(_DATABASE_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 (one topic's failure ends no other's snapshots)
                _log.exception("a snapshot failed", topic=subscription.topic.name)
                self._refuse(socket, subscription, LunaError())

    async def _read_snapshot(self, socket: Socket, subscription: Subscription) -> None:
        if not self._is_current(socket, subscription):
            return
        topic = subscription.topic
        pos, data = await async_database.run(_taken, topic, socket.holder)
        if not self._is_current(socket, subscription):
            return
        if data is None:
            self._refuse(socket, subscription, NotFound("There is no such topic."))
        else:
            socket.send_snapshot(subscription, messages.snapshot(topic.name, pos, data), pos)

    def _is_current(self, socket: Socket, subscription: Subscription) -> bool:
        """False once it was given up, or begun anew after a break."""
        return socket.subscriptions.get(subscription.topic.name) is subscription

    def _refuse(self, socket: Socket, subscription: Subscription, problem: LunaError) -> None:
        name = subscription.topic.name
        self._unsubscribe(socket, name)
        socket.offer(messages.error(name, problem))

    # --- changes ---------------------------------------------------------------------------------

    def _heard(self, _channel: str, body: bytes) -> None:
        try:
            message = json.loads(body)
            if "position" in message:
                self._show_position(message["topics"], message["position"])
            else:
                self._show_event(message["topics"], message["event"])
        except (ValueError, KeyError, TypeError):
            _log.exception("a message of the live view is not understood")

    def _show_event(self, channels: Iterable[str], event: dict[str, Any]) -> None:
        for channel in channels:
            watchers = self._watchers.get(channel)
            if watchers:
                text = messages.event(name_of(channel), event)
                for socket, subscription in watchers.items():
                    socket.offer_change(subscription, event["pos"], text)

    def _show_position(self, channels: Iterable[str], position: dict[str, Any]) -> None:
        for channel in channels:
            watchers = self._watchers.get(channel)
            if watchers:
                text = messages.position(name_of(channel), position)
                key = (channel, position["id"])
                for socket, subscription in watchers.items():
                    if subscription.buffer is None:
                        socket.offer_latest(key, text)

    def _resync(self) -> None:
        """Redis listens to us (again): what was published before may be missing."""
        for socket in self._sockets:
            for subscription in list(socket.subscriptions.values()):
                socket.offer(messages.resync(subscription.topic.name))
                self._watch(socket, subscription.topic)

    # --- sessions --------------------------------------------------------------------------------

    async def _check_sessions(self) -> None:
        """Close the sockets of ended sessions, closed accounts, changed roles and passwords."""
        while True:
            await asyncio.sleep(_SESSION_CHECK_SECONDS)
            holders = {socket.holder.session_id for socket in self._sockets}
            if holders:
                with suppress(SQLAlchemyError, OSError):  # told by the next look
                    states = await async_database.read(session_validity.read, holders)
                    self._end_refused(holders, states)

    def _end_refused(self, checked: set[UUID], states: dict[UUID, SessionState]) -> None:
        for socket in self._sockets:
            holder = socket.holder
            if holder.session_id in checked:
                state = states.get(holder.session_id)
                problem = session_validity.refusal(state, role=holder.role, epoch=holder.epoch)
                if problem is not None:
                    socket.end(handshake.close_code(problem), problem.text)


def _taken(
    session: Session, topic: Topic, holder: ConnectionUser
) -> tuple[int, dict[str, Any] | None]:
    pos = snapshots.begin(session)
    return pos, topic.read(session, holder, topic.about)
