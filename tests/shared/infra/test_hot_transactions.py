"""Transactions on the event loop: all or nothing, and a connection that stays usable."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.shared.infra import config, database, hot_transactions
from backend.shared.infra.database import PREPARED, Prepared
from backend.shared.infra.hot_reads.connection import Statement

NAMES = ("add_count", "read_count", "divide", "pause", "read_settings")


@pytest.fixture
def statements(clean: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Prepared]:
    for name in NAMES:
        monkeypatch.delitem(PREPARED, name, raising=False)
    sql = (
        "INSERT INTO aggregate_sequences VALUES ('test', :id, :seq)",
        "SELECT seq FROM aggregate_sequences WHERE aggregate_id = :id",
        "SELECT 1 / CAST(:by AS integer) AS quotient",
        "SELECT pg_sleep(1)",
        "SELECT name, setting FROM pg_settings WHERE name = ANY(:names)",
    )
    return {name: Prepared(name, each) for name, each in zip(NAMES, sql, strict=True)}


def _count(row_id: object) -> int | None:
    with database.transaction() as session:
        found = session.execute(text(PREPARED["read_count"].plain % {"id": f"'{row_id}'"}))
        return found.scalar_one_or_none()


def _run(api: Any, work: Any) -> Any:
    return api.portal.call(work)


def test_statements_of_one_round_trip_see_each_other_and_are_committed(
    api: Any, statements: dict[str, Prepared]
) -> None:
    row_id = uuid4()

    async def work() -> int:
        async with hot_transactions.begin(uuid4()) as transaction:
            rows = await transaction.run(
                (statements["add_count"], {"id": row_id, "seq": 7}),
                (statements["read_count"], {"id": row_id}),
            )
        found: int = rows[0].seq
        return found

    assert _run(api, work) == 7
    assert _count(row_id) == 7


def test_error_rolls_back_and_the_connection_is_used_again(
    api: Any, statements: dict[str, Prepared]
) -> None:
    row_id = uuid4()

    async def fail(by: object) -> None:
        async with hot_transactions.begin(uuid4()) as transaction:
            await transaction.run((statements["add_count"], {"id": row_id, "seq": 1}))
            await transaction.run(
                (statements["divide"], {"by": by}), (statements["read_count"], {"id": row_id})
            )
            raise RuntimeError

    async def work() -> list[type[BaseException]]:
        kinds: list[type[BaseException]] = []
        for by in (0, 1, "\0", 0):
            try:
                await fail(by)
            except (RuntimeError, DBAPIError) as error:
                kinds.append(type(error))
        return kinds

    assert _run(api, work) == [DBAPIError, RuntimeError, DBAPIError, DBAPIError]
    assert _count(row_id) is None


def test_cancelled_transactions_are_rolled_back_and_free_their_places(
    api: Any, statements: dict[str, Prepared]
) -> None:
    row_id = uuid4()

    async def wait() -> None:
        async with hot_transactions.begin(uuid4()) as transaction:
            await transaction.run((statements["add_count"], {"id": uuid4(), "seq": 1}))
            await transaction.run((statements["pause"], {}))

    async def work() -> None:
        for _ in range(config.database().hot_pool_size + 1):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wait(), 0.02)
        async with hot_transactions.begin(uuid4()) as transaction:
            await transaction.run((statements["add_count"], {"id": row_id, "seq": 2}))

    _run(api, work)
    with database.transaction() as session:
        kept = session.execute(
            text("SELECT aggregate_id FROM aggregate_sequences WHERE aggregate_type = 'test'")
        )
        assert kept.scalars().all() == [row_id]


def test_connection_that_cannot_be_rolled_back_is_not_used_again(
    api: Any, statements: dict[str, Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    row_id = uuid4()

    async def fail() -> None:
        async with hot_transactions.begin(uuid4()) as transaction:
            await transaction.run((statements["divide"], {"by": 0}))

    async def work() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(hot_transactions, "_ROLLBACK", Statement("SELECT 1"))
            with pytest.raises(DBAPIError):
                await fail()
        async with hot_transactions.begin(uuid4()) as transaction:
            await transaction.run((statements["add_count"], {"id": row_id, "seq": 4}))

    _run(api, work)
    assert _count(row_id) == 4


def test_wait_for_a_connection_ends(
    api: Any, statements: dict[str, Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_transactions, "_POOL_TIMEOUT", 0.05)
    subjects = [uuid4() for _ in range(config.database().hot_pool_size)]

    async def wait(subject: object, started: asyncio.Semaphore) -> None:
        async with hot_transactions.begin(subject) as transaction:
            started.release()
            await transaction.run((statements["pause"], {}))

    async def begin(subject: object) -> str:
        try:
            async with hot_transactions.begin(subject):
                return "begun"
        except PoolTimeout:
            return "given up"

    async def work() -> list[str]:
        started = asyncio.Semaphore(0)
        outcomes = []
        async with asyncio.TaskGroup() as group:
            group.create_task(wait(subjects[0], started))
            await started.acquire()
            outcomes += [await begin(subjects[0]), await begin(uuid4())]
            for each in subjects[1:]:
                group.create_task(wait(each, started))
                await started.acquire()
            outcomes.append(await begin(uuid4()))
        return [*outcomes, await begin(subjects[0])]

    assert _run(api, work) == ["given up", "begun", "given up", "begun"]


@pytest.mark.parametrize("commits_last", [True, False])
def test_last_statements_are_committed_only_where_nothing_follows(
    api: Any, statements: dict[str, Prepared], *, commits_last: bool
) -> None:
    row_id = uuid4()

    async def work() -> None:
        async with hot_transactions.begin(uuid4(), commits_last=commits_last) as transaction:
            await transaction.run_last((statements["add_count"], {"id": row_id, "seq": 3}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        _run(api, work)
    assert _count(row_id) == (3 if commits_last else None)


def test_kept_plans_use_indexes(api: Any, statements: dict[str, Prepared]) -> None:
    """However small the tables are at first: see docs/architecture.md, "The request path"."""
    expected = {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"}

    async def work() -> dict[str, str]:
        read = statements["read_settings"]
        async with hot_transactions.begin(uuid4()) as transaction:
            return dict(await transaction.run((read, {"names": list(expected)})))

    assert _run(api, work) == expected
