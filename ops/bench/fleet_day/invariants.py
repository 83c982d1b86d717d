"""What must hold on the database of a day."""

import psycopg
from sqlalchemy import create_engine

from backend.shared.domain import invariants
from ops.bench.system import System

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


def failed_without_alert(system: System) -> int:
    """Count the tasks that failed without an alert to staff."""
    url = system.environment["LUNA_DATABASE_OWNER_URL"].replace("+psycopg2", "")
    with psycopg.connect(url) as connection:
        row = connection.execute(_UNALERTED).fetchone()
    return int(row[0]) if row else 0
