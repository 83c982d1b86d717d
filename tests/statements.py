"""The statements that requests send to PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from backend.shared.infra import hot_reads, request_context
from backend.shared.infra.database import Prepared
from backend.shared.infra.hot_reads.connection import Statement
from backend.shared.infra.hot_transactions import Transaction

REQUEST_ID = "req_of_this_test"


@contextmanager
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the statements sent to PostgreSQL for requests with the header REQUEST_ID.

    Those of a hot transaction that take one round trip are one entry.
    Services also send some in the background.
    """
    found: list[str] = []
    run_once = hot_reads.Pool.run_once
    run_together = Transaction._run  # noqa: SLF001 (all of its statements)

    def record(sql: str) -> None:
        if request_context.current().request_id == REQUEST_ID:
            found.append(sql)

    def record_call(*call: Any) -> None:
        record(call[2])

    async def record_hot_read(pool: hot_reads.Pool, read: Statement, values: dict[str, Any]) -> Any:
        record(read.sql)
        return await run_once(pool, read, values)

    async def record_hot_transaction(
        transaction: Transaction,
        calls: Sequence[tuple[Prepared, Mapping[str, Any]]],
        *,
        commit: bool,
    ) -> list[Any]:
        record("; ".join(prepared.plain for prepared, _ in calls))
        return await run_together(transaction, calls, commit=commit)

    event.listen(Engine, "before_cursor_execute", record_call)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(hot_reads.Pool, "run_once", record_hot_read)
            patch.setattr(Transaction, "_run", record_hot_transaction)
            yield found
    finally:
        event.remove(Engine, "before_cursor_execute", record_call)
