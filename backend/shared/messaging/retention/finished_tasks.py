"""Delete finished tasks with what belongs to them, and the history of robots.

Only the worker's role may delete proofs of loading.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.orm import Session

from backend.shared.infra import clock, config
from backend.shared.models import CLOSED_STATUSES, sql_values

_BATCH = 500
_CLOSED = f"status IN {sql_values(CLOSED_STATUSES)}"
_TASKS = text(f"""
    SELECT id, request_id, return_id FROM delivery_tasks
    WHERE {_CLOSED} AND completed_at < :before
    ORDER BY completed_at LIMIT :batch FOR UPDATE SKIP LOCKED
""")  # noqa: S608 (constants)
# What belongs to tasks, before them; then what they were for.
OF_TASKS = {
    table: text(statement)
    for table, statement in {
        "robot_command_reports": """
            DELETE FROM robot_command_reports USING robot_commands c
            WHERE command_id = c.id AND c.task_id = ANY(:tasks)
        """,
        "robot_commands": "DELETE FROM robot_commands WHERE task_id = ANY(:tasks)",
        "loading_proofs": "DELETE FROM loading_proofs WHERE task_id = ANY(:tasks)",
        "task_status_history": "DELETE FROM task_status_history WHERE task_id = ANY(:tasks)",
        "alerts": "DELETE FROM alerts WHERE task_id = ANY(:tasks)",
        "robot_errors": "UPDATE robot_errors SET task_id = NULL WHERE task_id = ANY(:tasks)",
        "delivery_tasks": "DELETE FROM delivery_tasks WHERE id = ANY(:tasks)",
        "book_requests": "DELETE FROM book_requests WHERE id = ANY(:requests)",
        "book_returns": "DELETE FROM book_returns WHERE id = ANY(:returns)",
    }.items()
}
_HISTORY = text(f"""
    DELETE FROM task_status_history WHERE id IN (
        SELECT h.id FROM task_status_history h JOIN delivery_tasks t ON t.id = h.task_id
        WHERE h.created_at < :before AND t.{_CLOSED} LIMIT :batch)
""")  # noqa: S608 (constants)
_ERRORS = text("""
    DELETE FROM robot_errors WHERE id IN (
        SELECT id FROM robot_errors WHERE created_at < :before LIMIT :batch)
""")
_ALERTS = text("""
    DELETE FROM alerts WHERE id IN (
        SELECT id FROM alerts WHERE resolved_at < :before LIMIT :batch)
""")
_REPORTS = text("""
    DELETE FROM robot_command_reports USING robot_commands c
    WHERE command_id = c.id AND c.task_id IS NULL AND c.finished_at < :before
""")
_COMMANDS = text("""
    DELETE FROM robot_commands WHERE id IN (
        SELECT c.id FROM robot_commands c
        WHERE c.task_id IS NULL AND c.finished_at < :before AND NOT EXISTS (
            SELECT FROM robot_command_reports r WHERE r.command_id = c.id) LIMIT :batch)
""")


def delete(session: Session) -> dict[str, int]:
    """Delete at most one batch of each kind; return the numbers by table."""
    settings = config.retention()
    deleted = _delete_tasks(session, settings.keep_tasks)
    deleted["task_status_history"] += _count(session, _HISTORY, settings.keep_task_history)
    deleted["alerts"] += _count(session, _ALERTS, settings.keep_robot_history)
    deleted["robot_errors"] = _count(session, _ERRORS, settings.keep_robot_history)
    deleted["robot_command_reports"] += _count(session, _REPORTS, settings.keep_robot_history)
    deleted["robot_commands"] += _count(session, _COMMANDS, settings.keep_robot_history)
    return deleted


def _delete_tasks(session: Session, kept: timedelta) -> dict[str, int]:
    limits = {"before": clock.now() - kept, "batch": _BATCH}
    rows = session.execute(_TASKS, limits).all()
    ids: dict[str, list[Any]] = {
        "tasks": [row.id for row in rows],
        "requests": [row.request_id for row in rows if row.request_id],
        "returns": [row.return_id for row in rows if row.return_id],
    }
    return {
        table: _rows(session, statement, {name: ids[name] for name in statement.compile().params})
        for table, statement in OF_TASKS.items()
    }


def _count(session: Session, statement: TextClause, kept: timedelta) -> int:
    limits = {"before": clock.now() - kept, "batch": _BATCH}
    return _rows(session, statement, {name: limits[name] for name in statement.compile().params})


def _rows(session: Session, statement: TextClause, values: dict[str, Any]) -> int:
    result = session.execute(statement, values)
    assert isinstance(result, CursorResult)
    return result.rowcount
