"""Monthly partitions: made ahead of their month, dropped after the retention time.

Functions of the database do both with its owner's rights. The services' roles reach partitions
through their table only, so that they cannot change the audit trail.
"""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.shared.infra import clock, config, logs

_log = logs.get(__name__)
_MONTHS_AHEAD = 3
_CREATE = text("SELECT add_month(:parent, :month)")
_DROP = text("SELECT drop_expired_months(:parent, :before)")


def _retention_times() -> dict[str, timedelta]:
    """Return the retention time of each partitioned table."""
    settings = config.retention()
    return {
        "audit_logs": settings.keep_audit,
        "robot_status_logs": settings.keep_status_logs,
    }


def maintain(session: Session) -> dict[str, int]:
    """Make the partitions of the coming months and drop expired ones; return how many by table."""
    now = clock.now()
    dropped = {}
    for parent, kept in _retention_times().items():
        table: dict[str, Any] = {"parent": parent}
        for month in months_from(now):
            if session.execute(_CREATE, table | {"month": month}).scalar_one():
                _log.info("created a partition", table=parent, month=month.isoformat())
        names = session.execute(_DROP, table | {"before": now - kept}).scalar_one()
        if names:
            _log.info("dropped partitions", table=parent, partitions=names)
        dropped[f"{parent} partitions"] = len(names)
    return dropped


def months_from(now: datetime) -> list[date]:
    """Return the first days of this month and of the coming ones."""
    counted = [now.month - 1 + ahead for ahead in range(_MONTHS_AHEAD + 1)]
    return [date(now.year + month // 12, month % 12 + 1, 1) for month in counted]
