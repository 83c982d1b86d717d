"""Run what belongs into a hot transaction in the transaction of a session, for a test."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from backend.shared.infra import commit_hooks
from backend.shared.infra.database import Prepared
from backend.shared.infra.hot_transactions import Transaction

T = TypeVar("T")


class _OfSession(Transaction):
    def __init__(self, session: Session) -> None:
        self.signals = commit_hooks.of(session)
        self._session, self._commits_last = session, False

    async def _run(
        self,
        calls: Sequence[tuple[Prepared, Mapping[str, Any]]],
        *,
        commit: bool,  # noqa: ARG002 (the session is committed elsewhere)
    ) -> list[list[Any]]:
        self._session.flush()
        rows = []
        for prepared, values in calls:
            found = prepared.run(self._session, values)
            rows.append(list(found.all()) if found.returns_rows else [])
        return rows


def of(session: Session) -> Transaction:
    """Return a transaction that runs its statements in the session's."""
    return _OfSession(session)


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("it waits for something")
