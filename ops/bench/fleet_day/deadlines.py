"""Whether each task left each state by its time limit, or staff were alerted, by the database."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from ops.bench.system import System

# States that LUNA ends by itself, and those with a book on board, in which it alerts staff. While
# its robot is stopped a task keeps its state, and the time counts anew from the resume.
_OVERDUE = """
    WITH limits (state, of_return, seconds, ends) AS (VALUES
        ('TO_SOURCE', NULL, %(driving)s, true),
        ('LOADING', NULL, %(loading)s, true),
        ('HANDOVER', false, %(handover)s, true),
        ('HANDOVER', true, %(handover)s, false),
        ('TO_DESTINATION', NULL, %(driving)s, false),
        ('BRINGING_BACK', NULL, greatest(%(driving)s, %(loading)s), false),
        ('QUEUED', NULL, %(no_robot)s, false),
        ('PENDING', NULL, %(no_robot)s, true)
    ), steps AS (
        SELECT step.task_id, coalesce(step.to_stage, step.to_status) AS state, step.robot_id,
            task.task_type = 'RETURN_PICKUP' AS is_return, step.created_at AS began,
            coalesce(lead(step.created_at) OVER (PARTITION BY step.task_id ORDER BY step.id), now())
                AS ended
        FROM task_status_history AS step JOIN delivery_tasks AS task ON task.id = step.task_id
    ), waits AS (
        SELECT steps.*, limits.seconds AS allowed, limits.ends,
            extract(epoch FROM ended - greatest(began, (
                SELECT max(created_at) FROM outbox
                WHERE event_type = 'robot.resumed' AND aggregate_id = steps.robot_id
                    AND created_at BETWEEN began AND ended
            ))) AS waited
        FROM steps JOIN limits ON limits.state = steps.state
            AND (limits.of_return IS NULL OR limits.of_return = steps.is_return)
    )
    SELECT coalesce(max(waited - allowed) FILTER (WHERE ends), 0)::float AS overrun,
        count(*) FILTER (WHERE NOT ends AND waited > allowed + %(slack)s AND NOT EXISTS (
            SELECT FROM alerts WHERE alerts.task_id = waits.task_id AND first_at <= waits.ended
        )) AS unalerted,
        count(*) FILTER (WHERE waited > allowed) AS reached
    FROM waits
"""


@dataclass(frozen=True)
class Overdue:
    overrun: float  # seconds that the slowest task was past a limit at which LUNA moves it on
    unalerted: int  # states that lasted past a limit at which staff are alerted, without an alert
    reached: int  # states that lasted until their limit


def read(system: System, limits: Mapping[str, float], slack: float) -> Overdue:
    """Compare how long each task was in each state with the limits, in seconds."""
    url = system.environment["LUNA_DATABASE_OWNER_URL"].replace("+psycopg2", "")
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_OVERDUE, {**limits, "slack": slack}).fetchone()
    if row is None:
        raise RuntimeError("no figures of the tasks' times")
    return Overdue(*row)
