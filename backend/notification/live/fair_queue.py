"""A queue that serves people in turn, so that one with many entries does not delay the others."""

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


class FairQueue(Generic[T]):
    """First in, first out for each person; round robin between people."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[UUID, deque[T]] = OrderedDict()
        self._entries = asyncio.Semaphore(0)

    def put(self, user_id: UUID, entry: T) -> None:
        self._waiting.setdefault(user_id, deque()).append(entry)
        self._entries.release()

    async def get(self) -> T:
        """Remove and return the next entry; wait while there is none."""
        await self._entries.acquire()
        user_id, own = self._waiting.popitem(last=False)
        entry = own.popleft()
        if own:
            self._waiting[user_id] = own  # behind everyone else
        return entry
