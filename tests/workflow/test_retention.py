"""Retention: monthly partitions, and the deletion of finished tasks and old history."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from backend.shared.domain import audit
from backend.shared.infra import clock, config, database
from backend.shared.messaging.retention import finished_tasks, partitions
from backend.shared.models import Base
from tests import event_runner, service_roles
from tests.scenario import start_scenario

Counted = Callable[[str], int]
JOB = "retention.history"
OF_A_TASK = {"delivery_tasks", "book_requests", "book_returns", "robot_commands", "loading_proofs"}


@pytest.fixture
def count(owner: Engine, clean: None) -> Counted:
    """Return the number of rows of a table; the partitions of this month exist."""
    event_runner.run_periodic(JOB)  # an earlier test may have dropped them

    def rows(table: str) -> int:
        with owner.connect() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608 (fixed names)

    return rows


def _record() -> None:
    with database.transaction() as session:
        audit.record(session, actor_id=None, action="tested", resource=("test", 1))


def _partitions(owner: Engine, table: str) -> set[str]:
    statement = text(
        "SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = CAST(:parent AS regclass)"
    )
    with owner.connect() as connection:
        return set(connection.execute(statement, {"parent": table}).scalars())


def _name(table: str, when: datetime) -> str:
    return f"{table}_{when:%Y_%m}"


def test_partitions_are_made_for_the_coming_months(owner: Engine, clean: None) -> None:
    event_runner.advance_clock(timedelta(days=31 * 6))
    event_runner.run_periodic(JOB)
    for table in ("audit_logs", "robot_status_logs"):
        found = _partitions(owner, table)
        ahead = {_name(table, clock.now() + timedelta(days=30 * months)) for months in range(3)}
        assert ahead | {f"{table}_default"} <= found


def test_entry_of_a_month_without_a_partition_moves_into_it(owner: Engine, count: Counted) -> None:
    event_runner.advance_clock(timedelta(days=31 * 60))
    _record()
    month = _name("audit_logs", clock.now())
    assert count("audit_logs_default") == 1
    event_runner.run_periodic(JOB)
    assert (count("audit_logs_default"), count(month), count("audit_logs")) == (0, 1, 1)
    event_runner.run_periodic(JOB)  # a partition that exists is kept
    assert count(month) == 1


def test_partition_is_dropped_once_its_whole_month_has_expired(
    owner: Engine, count: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.RetentionSettings(keep_audit=timedelta(days=40))
    monkeypatch.setattr(config, "retention", lambda: settings)
    event_runner.advance_clock(timedelta(days=-72))
    _record()
    month = _name("audit_logs", clock.now())
    event_runner.run_periodic(JOB)
    event_runner.advance_clock(timedelta(days=39))
    event_runner.run_periodic(JOB)
    assert count(month) == 1
    event_runner.advance_clock(timedelta(days=33))
    event_runner.run_periodic(JOB)
    assert month not in _partitions(owner, "audit_logs")
    assert count("audit_logs") == 0


def test_last_thirty_days_of_the_audit_trail_stay_whatever_is_asked(
    owner: Engine, count: Counted
) -> None:
    _record()
    month = _name("audit_logs", clock.now())
    with service_roles.running_as("worker"), database.transaction() as session:
        dropped = session.execute(
            text("SELECT drop_expired_months('audit_logs', now() + interval '1 year')")
        ).scalar_one()
    assert month not in dropped
    assert count(month) == 1


@pytest.mark.parametrize("parent", ["users", "outbox", "audit_logs_default"])
def test_upkeep_of_partitions_reaches_no_other_table(count: Counted, parent: str) -> None:
    for call in ("add_month(:parent, '2020-01-01')", "drop_expired_months(:parent, now())"):
        with (
            service_roles.running_as("worker"),
            database.transaction() as session,
            pytest.raises(DBAPIError, match="no partitioned table"),
        ):
            session.execute(text(f"SELECT {call}"), {"parent": parent})


def test_only_the_worker_keeps_partitions(count: Counted) -> None:
    with (
        service_roles.running_as("auth"),
        database.transaction() as session,
        pytest.raises(DBAPIError, match="permission denied"),
    ):
        session.execute(text("SELECT drop_expired_months('audit_logs', now())"))


@pytest.mark.parametrize(
    "verb", ["UPDATE {} SET action = ''", "DELETE FROM {}", "SELECT * FROM {}"]
)
def test_application_role_reaches_no_partition(count: Counted, verb: str) -> None:
    _record()
    month = _name("audit_logs", clock.now())
    with (
        database.reading_engine().connect() as connection,
        pytest.raises(DBAPIError, match="permission denied"),
    ):
        connection.execute(text(verb.format(month)))
    assert count(month) == 1


def test_finished_task_is_deleted_with_all_that_belongs_to_it(api: Any, count: Counted) -> None:
    start_scenario(api).until_on_loan()
    event_runner.advance_clock(config.retention().keep_tasks - timedelta(days=1))
    event_runner.run_periodic(JOB)
    assert count("delivery_tasks") == count("book_requests") == 1
    assert count("task_status_history") == 0  # it is kept for a shorter time
    event_runner.advance_clock(timedelta(days=2))
    event_runner.run_periodic(JOB)
    assert {table: count(table) for table in OF_A_TASK} == dict.fromkeys(OF_A_TASK, 0)
    assert count("loans") == 1


def test_open_task_is_kept_with_its_history(api: Any, count: Counted) -> None:
    start_scenario(api).until_handover()
    before = count("task_status_history")
    event_runner.advance_clock(config.retention().keep_tasks * 2)
    event_runner.run_periodic(JOB)
    assert count("delivery_tasks") == 1
    assert count("task_status_history") == before > 0


def test_every_table_that_refers_to_a_task_is_deleted_before_it() -> None:
    referring = {
        table.name
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name in OF_A_TASK and not key.ondelete
    }
    assert referring <= set(finished_tasks.OF_TASKS)


def test_robot_status_is_logged_at_each_change_and_sampled(api: Any, owner: Engine) -> None:
    scenario = start_scenario(api)
    scenario.request_delivery()
    scenario.run_events()
    statement = text("SELECT status FROM robot_status_logs ORDER BY id")
    with owner.connect() as connection:
        changes = connection.execute(statement).scalars().all()
    assert changes[-2:] == ["IDLE", "BUSY"]
    event_runner.run_periodic("robot.status_logs")
    with owner.connect() as connection:
        assert connection.execute(statement).scalars().all() == [*changes, "BUSY"]


def test_months_cross_the_end_of_a_year() -> None:
    months = partitions.months_from(datetime.fromisoformat("2026-11-30T23:59:59+00:00"))
    assert [str(month) for month in months] == [
        "2026-11-01",
        "2026-12-01",
        "2027-01-01",
        "2027-02-01",
    ]
