"""What must hold on the database of a day."""

import time
from typing import Any

import psycopg
from sqlalchemy import create_engine

from backend.shared.domain import invariants
from ops.bench.system import System

_PROCESSED_AFTER = 30.0  # seconds
_KINDS = "SELECT task_type, count(*) FROM delivery_tasks GROUP BY task_type ORDER BY task_type"
_UNALERTED = """
    SELECT count(DISTINCT step.task_id) FROM task_status_history AS step
    WHERE step.to_status = 'FAILED'
      AND NOT EXISTS (SELECT 1 FROM alerts AS alert WHERE alert.task_id = step.task_id)
"""


def violations(system: System) -> list[str]:
    """Return the violated invariants, each with its first row."""
    engine = create_engine(system.environment["LUNA_DATABASE_OWNER_URL"])
    try:
        with engine.connect() as connection:
            found = invariants.find_violations(connection)
    finally:
        engine.dispose()
    return [f"{invariant}: {rows[0]}" for invariant, rows in found.items()]


def kinds(system: System) -> dict[str, float]:
    """Count the tasks of each kind."""
    with _connection(system) as connection:
        return dict(connection.execute(_KINDS).fetchall())


def failed_without_alert(system: System) -> int:
    """Count the tasks that failed without an alert to staff, when the last events are processed."""
    limit = time.monotonic() + _PROCESSED_AFTER
    with _connection(system) as connection:
        while True:
            row = connection.execute(_UNALERTED).fetchone()
            count = int(row[0]) if row else 0
            if not count or time.monotonic() > limit:
                return count
            time.sleep(0.5)


def _connection(system: System) -> "psycopg.Connection[tuple[Any, ...]]":
    url = system.environment["LUNA_DATABASE_OWNER_URL"].replace("+psycopg2", "")
    return psycopg.connect(url, autocommit=True)
