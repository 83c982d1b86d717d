"""What follows from a stop latch: robots' rows and their commands.

Rows that another transaction has locked are skipped and follow later: `follow_latches` runs after
each stop and resume, and twice a second until nothing is left (`bridge_protocol.lifespan`).
"""

from uuid import UUID

from sqlalchemy import DateTime, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from backend.shared.infra import clock
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    ACTIVE_TASK_STATUSES,
    FLEET_LATCH,
    DeliveryTask,
    StopScope,
)
from backend.shared.models.base import sql_values


def _statement(sql: str) -> TextClause:
    return text(sql).bindparams(bindparam("now", type_=DateTime(timezone=True)))


# The stop that counts is the latest of those in force, else the resume that lifted the last one.
_UPDATE_ROBOTS = _statement(
    f"""
    WITH lagging AS (
        SELECT robot.id, own.version + fleet.version AS version, own.stopped AS is_alone,
               latch.stopped, latch.changed_at, latch.changed_by, latch.reason,
               robot.stopped_at IS NOT NULL AS was_stopped
        FROM robots AS robot
        JOIN stop_latches AS own ON own.id = robot.id
        JOIN stop_latches AS fleet ON fleet.id = '{FLEET_LATCH}'
        CROSS JOIN LATERAL (
            SELECT * FROM (SELECT own.*) AS its UNION ALL SELECT * FROM (SELECT fleet.*) AS all_of
            ORDER BY stopped DESC, changed_at DESC NULLS LAST
            LIMIT 1
        ) AS latch
        WHERE robot.retired_at IS NULL AND robot.stop_version <> own.version + fleet.version
        FOR UPDATE OF robot SKIP LOCKED
    )
    UPDATE robots
    SET stop_version = lagging.version, stop_received_at = NULL, motion_stopped_at = NULL,
        stop_alerted_at = NULL, updated_at = :now,
        stopped_at = CASE WHEN lagging.stopped THEN lagging.changed_at END,
        stopped_by = CASE WHEN lagging.stopped THEN lagging.changed_by END,
        stop_reason = CASE WHEN lagging.stopped THEN lagging.reason END,
        stop_scope = CASE WHEN lagging.is_alone THEN '{StopScope.ROBOT}'
                          WHEN lagging.stopped THEN '{StopScope.FLEET}' END
    FROM lagging WHERE robots.id = lagging.id
    RETURNING robots.id, lagging.was_stopped AND NOT lagging.stopped AS is_resumed
    """  # noqa: S608 (constants only)
)
_VOID_COMMANDS = _statement(
    f"""
    UPDATE robot_commands
    SET status = 'VOID', finished_at = :now, result = 'emergency stop'
    WHERE id IN (
        SELECT command.id
        FROM robot_commands AS command
        JOIN stop_latches AS own ON own.id = command.robot_id
        JOIN stop_latches AS fleet ON fleet.id = '{FLEET_LATCH}'
        WHERE command.status IN {sql_values(ACTIVE_COMMAND_STATUSES)}
          AND command.stop_version <> own.version + fleet.version
        FOR UPDATE OF command SKIP LOCKED
    )
    """  # noqa: S608 (constants only)
)

# Whether `follow_latches` or `emergency_stop.alert_unconfirmed` may find anything to do.
HAS_WORK = f"""
    SELECT EXISTS (
        SELECT FROM robots AS robot
        JOIN stop_latches AS own ON own.id = robot.id
        JOIN stop_latches AS fleet ON fleet.id = '{FLEET_LATCH}'
        WHERE robot.retired_at IS NULL
          AND (robot.stop_version <> own.version + fleet.version
               OR robot.stopped_at IS NOT NULL AND robot.motion_stopped_at IS NULL
                  AND robot.stop_alerted_at IS NULL)
    ) OR EXISTS (
        SELECT FROM robot_commands AS command
        JOIN stop_latches AS own ON own.id = command.robot_id
        JOIN stop_latches AS fleet ON fleet.id = '{FLEET_LATCH}'
        WHERE command.status IN {sql_values(ACTIVE_COMMAND_STATUSES)}
          AND command.stop_version <> own.version + fleet.version
    ) AS has_work
"""  # noqa: S608 (constants only)


def follow_latches(session: Session) -> list[UUID]:
    """Apply the latches to rows that lag behind; the tasks whose robots are resumed by it.

    Waits for no lock: rows that are locked follow later.
    """
    session.flush()
    now = {"now": clock.now()}
    changed = session.execute(_UPDATE_ROBOTS, now).all()
    session.execute(_VOID_COMMANDS, now)
    session.expire_all()
    resumed = [row.id for row in changed if row.is_resumed]
    if not resumed:
        return []
    tasks = session.execute(
        select(DeliveryTask.id).where(
            DeliveryTask.assigned_robot_id.in_(resumed),
            DeliveryTask.status.in_(ACTIVE_TASK_STATUSES),
        )
    ).scalars()
    return list(tasks)
