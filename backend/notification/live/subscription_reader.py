"""Read the snapshot or the missed changes that a new subscription starts with.

A fixed number of readers serves people in turn, so that neither a thousand clients that reconnect
at once nor one with a thousand topics exhausts the database's connections or delays the others.
"""

import asyncio
from collections.abc import Callable

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from backend.notification.live import messages, replay, snapshots
from backend.notification.live.connection_user import ConnectionUser
from backend.notification.live.fair_queue import FairQueue
from backend.notification.live.replay import Replay
from backend.notification.live.sockets import Socket, Subscription
from backend.shared.errors import LunaError, NotFound
from backend.shared.infra import async_database, logs

READERS = 2
_DATABASE_RETRY_INTERVAL = 0.5  # seconds
_DATABASE_UNAVAILABLE = (InterfaceError, OperationalError, PoolTimeout, OSError)
_log = logs.get(__name__)

Refuse = Callable[[Socket, Subscription, LunaError], None]
Started = Callable[[Socket, Subscription], None]


class SubscriptionReader:
    """The queue of subscriptions that have not been answered."""

    def __init__(self, refuse: Refuse, started: Started) -> None:
        self._refuse = refuse
        self._started = started  # called after the first messages of a subscription
        self._pending: FairQueue[tuple[Socket, Subscription]] = FairQueue()

    def request(self, socket: Socket, subscription: Subscription) -> None:
        """Answer a subscription as soon as it is its user's turn."""
        self._pending.put(socket.user.user_id, (socket, subscription))

    async def run(self) -> None:
        """Answer one subscription after another."""
        while True:
            socket, subscription = await self._pending.get()
            try:
                await self._answer(socket, subscription)
            except _DATABASE_UNAVAILABLE as error:
                _log.warning(
                    "database unavailable, snapshot is retried", error=str(error).splitlines()[0]
                )
                self.request(socket, subscription)
                await asyncio.sleep(_DATABASE_RETRY_INTERVAL)
            except Exception:  # noqa: BLE001 (a failed topic must not stop the reader)
                _log.exception("snapshot failed", topic=subscription.topic.name)
                self._refuse(socket, subscription, LunaError())

    async def _answer(self, socket: Socket, subscription: Subscription) -> None:
        if not socket.is_current(subscription):
            return
        found = await async_database.run(_read, subscription, socket.user)
        if not socket.is_current(subscription):
            return
        if found is None:
            self._refuse(socket, subscription, NotFound("Topic not found."))
        else:
            socket.start(subscription, found.texts, found.pos)
            self._started(socket, subscription)


def _read(session: Session, subscription: Subscription, user: ConnectionUser) -> Replay | None:
    """Read the messages to start with; None when the topic does not exist for this user."""
    topic, since = subscription.topic, subscription.since
    pos = snapshots.begin_transaction(session)
    missed = None if since is None else replay.read(session, topic, since, pos)
    if missed is not None and topic.resource_id is None:
        return missed
    data = topic.read(session, user, topic.resource_id)
    if data is None or missed is not None:
        return None if data is None else missed
    texts = [messages.snapshot(topic.name, pos, data)]
    return Replay(pos, texts if since is None else [messages.resync(topic.name), *texts])
