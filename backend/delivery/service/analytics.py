"""Figures of the deliveries created within a time: durations, failures, robots, hours, places."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

_FORMULA = re.compile(r"[=+\-@\t\r]")  # what a spreadsheet would run; people write reasons
# How long each task was in each state, from its history; the last state lasts until now.
_DURATIONS = """
    WITH tasks AS (
        SELECT * FROM delivery_tasks
        WHERE (CAST(:since AS timestamptz) IS NULL OR created_at >= :since)
          AND (CAST(:until AS timestamptz) IS NULL OR created_at < :until)
    ), steps AS (
        SELECT step.task_id, step.to_status, coalesce(step.to_stage, step.to_status) AS state,
               step.robot_id,
               extract(epoch FROM coalesce(
                   lead(step.created_at) OVER (PARTITION BY step.task_id ORDER BY step.id), :now
               ) - step.created_at) AS seconds
        FROM task_status_history AS step JOIN tasks ON tasks.id = step.task_id
    )
"""
_PHASES = text(
    _DURATIONS  # noqa: S608 (constants only)
    + """
    , phases AS (
        SELECT task_id, CASE
                   WHEN state IN ('PENDING', 'QUEUED') THEN 'waiting'
                   WHEN state = 'LOADING' THEN 'loading'
                   WHEN state IN ('TO_SOURCE', 'TO_DESTINATION', 'BRINGING_BACK') THEN 'travel'
                   WHEN state = 'HANDOVER' THEN 'handover'
               END AS phase, seconds
        FROM steps
        UNION ALL
        SELECT id, 'total', extract(epoch FROM completed_at - created_at)
        FROM tasks WHERE status = 'COMPLETED'
    ), sums AS (
        SELECT task_id, phase, sum(seconds) AS seconds FROM phases
        WHERE phase IS NOT NULL GROUP BY task_id, phase
    )
    SELECT phase AS name, count(*) AS count,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95
    FROM sums GROUP BY phase ORDER BY phase
    """
)
_COUNTS = text(
    _DURATIONS  # noqa: S608 (constants only)
    + """
    SELECT 'status' AS kind, status AS name, count(*) AS count FROM tasks GROUP BY status
    UNION ALL
    SELECT 'task_type', task_type, count(*) FROM tasks GROUP BY task_type
    UNION ALL
    SELECT 'failure', split_part(failure_reason, ':', 1), count(*) FROM tasks
    WHERE failure_reason IS NOT NULL AND status IN ('FAILED', 'CANCELLED')
    GROUP BY split_part(failure_reason, ':', 1)
    UNION ALL
    SELECT 'hour', to_char(created_at AT TIME ZONE :zone, 'HH24'), count(*) FROM tasks GROUP BY 2
    UNION ALL
    SELECT 'place', destination_location, count(*) FROM tasks GROUP BY destination_location
    ORDER BY kind, name
    """
)
_ROBOTS = text(
    _DURATIONS  # noqa: S608 (constants only)
    + """
    , samples AS (
        SELECT robot_id, charging, status = 'ERROR' OR connectivity = 'OFFLINE' AS is_faulty,
               extract(epoch FROM coalesce(
                   lead(recorded_at) OVER (PARTITION BY robot_id ORDER BY recorded_at), :now
               ) - recorded_at) AS seconds
        FROM robot_status_logs
        WHERE (CAST(:since AS timestamptz) IS NULL OR recorded_at >= :since)
          AND (CAST(:until AS timestamptz) IS NULL OR recorded_at < :until)
    )
    SELECT robot.id, robot.robot_name,
           coalesce(served.tasks, 0) AS tasks,
           coalesce(served.driving, 0) AS driving_seconds,
           coalesce(served.waiting, 0) AS waiting_seconds,
           coalesce(logged.charging, 0) AS charging_seconds,
           coalesce(logged.fault, 0) AS fault_seconds
    FROM robots AS robot
    LEFT JOIN (
        SELECT robot_id, count(DISTINCT task_id) AS tasks,
               sum(seconds) FILTER (WHERE state IN ('TO_SOURCE', 'TO_DESTINATION', 'BRINGING_BACK'))
                   AS driving,
               sum(seconds) FILTER (WHERE state IN ('LOADING', 'HANDOVER')) AS waiting
        FROM steps WHERE to_status IN ('ASSIGNED', 'IN_PROGRESS') GROUP BY robot_id
    ) AS served ON served.robot_id = robot.id
    LEFT JOIN (
        SELECT robot_id, sum(seconds) FILTER (WHERE charging) AS charging,
               sum(seconds) FILTER (WHERE is_faulty) AS fault
        FROM samples GROUP BY robot_id
    ) AS logged ON logged.robot_id = robot.id
    WHERE robot.retired_at IS NULL OR served.tasks > 0
    ORDER BY robot.robot_name
    """
)


def read(
    connection: Connection, since: datetime | None, until: datetime | None, now: datetime, zone: str
) -> dict[str, Any]:
    """Compute the figures of the tasks created from `since` on and before `until`; in seconds."""
    given = {"since": since, "until": until, "now": now, "zone": zone}
    counts: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(_COUNTS, given):
        counts.setdefault(row.kind, []).append({"name": row.name, "count": row.count})
    return {
        "total": sum(each["count"] for each in counts.get("status", [])),
        "by_status": counts.get("status", []),
        "by_type": counts.get("task_type", []),
        "failures": counts.get("failure", []),
        "by_hour": counts.get("hour", []),
        "by_place": counts.get("place", []),
        "durations": [dict(row) for row in connection.execute(_PHASES, given).mappings()],
        "robots": [dict(row) for row in connection.execute(_ROBOTS, given).mappings()],
    }


def as_csv(figures: dict[str, Any]) -> str:
    """Write the figures as a table: group, name, figure, value."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(["group", "name", "figure", "value"])
    table.writerow(["total", "", "count", figures["total"]])
    table.writerows(_rows(figures))
    return written.getvalue()


def _rows(figures: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    for group, entries in figures.items():
        if group == "total":
            continue
        for entry in entries:
            name = str(entry.get("name", entry.get("robot_name")))
            name = f"'{name}" if _FORMULA.match(name) else name
            for figure, number in entry.items():
                if figure not in {"name", "robot_name", "id"}:
                    yield group, name, figure, number
