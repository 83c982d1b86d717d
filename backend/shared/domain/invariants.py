"""The invariants of workflow.md §2, one query each: every returned row is a violation.

`luna check` runs them on a running database; tests run them after every scenario.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from backend.shared.domain.transitions import TRANSITIONS, Action
from backend.shared.infra.database import Prepared
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    ACTIVE_TASK_STATUSES,
    CLOSED_STATUSES,
    FLEET_LATCH,
    MOTION_COMMAND_TYPES,
    sql_values,
)

_MOVING = f"command.type IN {sql_values(MOTION_COMMAND_TYPES)}"
_ACTIVE = f"command.status IN {sql_values(ACTIVE_COMMAND_STATUSES)}"
_OPEN = f"status NOT IN {sql_values(CLOSED_STATUSES)}"

# Status and stage of a task → permitted statuses of its request or return, custodies of its copy.
_STUDENT_DELIVERY = {
    ("PENDING", None): ("PENDING", "RESERVED"),
    ("QUEUED", None): ("PENDING APPROVED", "RESERVED"),
    ("ASSIGNED", "TO_SOURCE"): ("APPROVED", "RESERVED"),
    ("ASSIGNED", "LOADING"): ("APPROVED", "RESERVED"),
    ("IN_PROGRESS", "TO_DESTINATION"): ("IN_PROGRESS", "ON_ROBOT"),
    ("IN_PROGRESS", "HANDOVER"): ("IN_PROGRESS", "ON_ROBOT"),
    ("IN_PROGRESS", "BRINGING_BACK"): ("CANCELLED", "ON_ROBOT"),
    ("FAILED", None): ("PENDING APPROVED IN_PROGRESS CANCELLED", "RESERVED ON_ROBOT"),
    ("COMPLETED", None): ("COMPLETED", None),
    ("CANCELLED", None): ("CANCELLED", None),
}
_RETURN_PICKUP = {
    ("PENDING", None): ("PENDING", "ON_LOAN"),
    ("QUEUED", None): ("PENDING PICKUP_SCHEDULED", "ON_LOAN"),
    ("ASSIGNED", "TO_SOURCE"): ("PICKUP_SCHEDULED", "ON_LOAN"),
    ("ASSIGNED", "LOADING"): ("PICKUP_SCHEDULED", "ON_LOAN"),
    ("IN_PROGRESS", "TO_DESTINATION"): ("PICKED_UP", "ON_ROBOT"),
    ("IN_PROGRESS", "HANDOVER"): ("PICKED_UP", "ON_ROBOT"),
    ("FAILED", None): ("PENDING PICKUP_SCHEDULED PICKED_UP", "ON_LOAN ON_ROBOT"),
    ("COMPLETED", None): ("COMPLETED", None),
    ("CANCELLED", None): ("CANCELLED COMPLETED", None),
}

_STAFF_DELIVERY = {
    ("PENDING", None): (None, "RESERVED"),
    ("QUEUED", None): (None, "RESERVED"),
    ("ASSIGNED", "TO_SOURCE"): (None, "RESERVED"),
    ("ASSIGNED", "LOADING"): (None, "RESERVED"),
    ("IN_PROGRESS", "TO_DESTINATION"): (None, "ON_ROBOT"),
    ("IN_PROGRESS", "HANDOVER"): (None, "ON_ROBOT"),
    ("IN_PROGRESS", "BRINGING_BACK"): (None, "ON_ROBOT"),
    ("FAILED", None): (None, "RESERVED ON_ROBOT"),
    ("COMPLETED", None): (None, None),
    ("CANCELLED", None): (None, None),
}
_AGREEMENT: dict[str, Mapping[tuple[str, str | None], tuple[str | None, str | None]]] = {
    "STUDENT_DELIVERY": _STUDENT_DELIVERY,
    "RETURN_PICKUP": _RETURN_PICKUP,
    "INTER_STAFF": _STAFF_DELIVERY,
    "WORKSTATION": _STAFF_DELIVERY,
    "TRANSFER": _STAFF_DELIVERY,
}


def _agreement_rows() -> Iterator[str]:
    for kind, table in _AGREEMENT.items():
        for (status, stage), (causes, custodies) in table.items():
            yield (
                f"('{kind}', '{status}', '{stage or ''}', '{causes or ''}', '{custodies or ''}')"
            )


def _legal_transitions() -> Iterator[str]:
    yield "('CREATE', '', '', 'PENDING', '')"
    for action, steps in TRANSITIONS.items():
        for (from_status, from_stage), (to_status, to_stage) in steps.items():
            yield (
                f"('{action.value}', '{from_status}', '{from_stage or ''}', "
                f"'{to_status}', '{to_stage or ''}')"
            )


INVARIANTS: dict[str, str] = {
    "a copy has at most one open request, return, loan or staff delivery": f"""
        SELECT copy_id, string_agg(what, ', ') AS open_things
        FROM (
            SELECT copy_id, 'request' AS what FROM book_requests
            WHERE {_OPEN}
            UNION ALL
            SELECT copy_id, 'loan' FROM loans WHERE returned_at IS NULL
            UNION ALL
            SELECT copy_id, 'staff delivery' FROM delivery_tasks
            WHERE request_id IS NULL AND return_id IS NULL
              AND {_OPEN}
        ) AS things
        GROUP BY copy_id HAVING count(*) > 1
        UNION ALL
        SELECT loan.copy_id, 'two returns' FROM book_returns AS returned
        JOIN loans AS loan ON loan.id = returned.loan_id
        WHERE returned.{_OPEN}
        GROUP BY loan.copy_id HAVING count(*) > 1
    """,
    "a robot has at most one active task": f"""
        SELECT assigned_robot_id, count(*) FROM delivery_tasks
        WHERE status IN {sql_values(ACTIVE_TASK_STATUSES)}
        GROUP BY assigned_robot_id HAVING count(*) > 1
    """,
    "a command to leave with a book has an earlier loading confirmation": f"""
        SELECT command.id, command.task_id FROM robot_commands AS command
        LEFT JOIN loading_proofs AS proof ON proof.id = command.loading_proof_id
        WHERE command.leg IS NOT NULL AND command.leg <> 'TO_SOURCE'
          AND (proof.id IS NULL OR proof.confirmed_at > command.created_at
               OR proof.robot_id <> command.robot_id OR proof.task_id <> command.task_id)
        UNION ALL
        SELECT task.id, task.id FROM delivery_tasks AS task
        WHERE task.status = 'IN_PROGRESS' AND NOT EXISTS (
            SELECT 1 FROM loading_proofs AS proof
            WHERE proof.task_id = task.id AND proof.attempt = task.attempt
              AND proof.robot_id = task.assigned_robot_id)
        UNION ALL
        SELECT command.id, task.id FROM robot_commands AS command
        JOIN delivery_tasks AS task ON task.id = command.task_id
        WHERE task.stage = 'LOADING' AND {_MOVING} AND {_ACTIVE}
    """,
    "a task, its request or return, and its copy agree": f"""
        SELECT task.id, task.reference, task.status, task.stage,
               coalesce(request.status, returned.status) AS cause, copy.custody
        FROM delivery_tasks AS task
        JOIN copies AS copy ON copy.id = task.copy_id
        LEFT JOIN book_requests AS request ON request.id = task.request_id
        LEFT JOIN book_returns AS returned ON returned.id = task.return_id
        WHERE NOT EXISTS (
            SELECT 1 FROM (VALUES {", ".join(_agreement_rows())})
                AS agreed (task_type, status, stage, causes, custodies)
            WHERE agreed.task_type = task.task_type AND agreed.status = task.status
              AND agreed.stage = coalesce(task.stage, '')
              AND (agreed.causes = '' OR coalesce(request.status, returned.status)
                  = ANY (string_to_array(agreed.causes, ' ')))
              AND (agreed.custodies = ''
                   OR copy.custody = ANY (string_to_array(agreed.custodies, ' '))))
    """,
    "a copy is on loan exactly when it has one open loan": """
        SELECT copy.id, copy.custody, count(loan.id) AS open_loans
        FROM copies AS copy
        LEFT JOIN loans AS loan ON loan.copy_id = copy.id AND loan.returned_at IS NULL
        GROUP BY copy.id, copy.custody
        HAVING (copy.custody = 'ON_LOAN') <> (count(loan.id) = 1) OR count(loan.id) > 1
    """,
    "a task's history is a legal path that ends at its status": f"""
        WITH steps AS (
            SELECT step.*, lag(to_status) OVER path AS came_status,
                   lag(to_stage) OVER path AS came_stage,
                   row_number() OVER (PARTITION BY task_id ORDER BY id DESC) AS from_the_end
            FROM task_status_history AS step
            WINDOW path AS (PARTITION BY task_id ORDER BY id)
        )
        SELECT steps.task_id, steps.action, steps.from_status, steps.to_status
        FROM steps JOIN delivery_tasks AS task ON task.id = steps.task_id
        WHERE steps.came_status IS DISTINCT FROM steps.from_status
           OR steps.came_stage IS DISTINCT FROM steps.from_stage
           OR (steps.from_the_end = 1 AND (steps.to_status, coalesce(steps.to_stage, ''))
               <> (task.status, coalesce(task.stage, '')))
           OR (steps.action, coalesce(steps.from_status, ''), coalesce(steps.from_stage, ''),
               steps.to_status, coalesce(steps.to_stage, ''))
              NOT IN (VALUES {", ".join(_legal_transitions())})
    """,
    "no stopped, offline or maintenance robot receives a command to move": f"""
        SELECT robot.robot_name, command.id FROM robot_commands AS command
        JOIN robots AS robot ON robot.id = command.robot_id
        WHERE {_MOVING} AND (
            (command.created_at > robot.stopped_at AND command.sent_at IS NOT NULL)
            OR ({_ACTIVE} AND (
                SELECT bool_or(stopped) AND sum(version) = command.stop_version
                FROM stop_latches WHERE id IN (robot.id, '{FLEET_LATCH}')))
            OR (robot.status = 'MAINTENANCE' AND {_ACTIVE})
            OR (robot.connectivity = 'OFFLINE' AND command.created_at > (
                SELECT max(event.created_at) FROM outbox AS event
                WHERE event.event_type = 'robot.went_offline'
                  AND event.aggregate_id = robot.id)))
    """,
    "a copy is where its history says, at a desk with a place, and has a workstation as home": f"""
        SELECT copy.id, copy.custody, copy.condition, last.to_custody, last.to_condition
        FROM copies AS copy
        LEFT JOIN LATERAL (
            SELECT to_custody, to_condition FROM copy_history
            WHERE copy_id = copy.id ORDER BY id DESC LIMIT 1) AS last ON true
        WHERE copy.custody <> coalesce(last.to_custody, 'ON_SHELF')
           OR copy.condition <> coalesce(last.to_condition, copy.condition)
        UNION ALL
        SELECT copy.id, copy.custody, copy.condition, home.kind, home.name
        FROM copies AS copy JOIN waypoints AS home ON home.id = copy.home_workstation_id
        WHERE home.kind <> 'WORKSTATION'
        UNION ALL
        SELECT copy.id, copy.custody, copy.condition, place.kind, place.name
        FROM copies AS copy LEFT JOIN waypoints AS place ON place.id = copy.waypoint_id
        WHERE copy.custody = 'AT_DESK' AND place.is_active IS NOT TRUE
        UNION ALL
        SELECT copy.id, copy.custody, copy.condition, task.status, task.reference
        FROM copies AS copy
        LEFT JOIN delivery_tasks AS task
          ON task.copy_id = copy.id AND task.{_OPEN}
        WHERE copy.custody = 'ON_ROBOT' AND task.id IS NULL
    """,
    "no available copy and waiting hold of one title": """
        SELECT hold.id, hold.book_id, copy.barcode FROM holds AS hold
        JOIN copies AS copy ON copy.book_id = hold.book_id
        WHERE hold.status = 'QUEUED' AND hold.suspended_until IS NULL
          AND copy.custody = 'ON_SHELF' AND copy.condition = 'OK'
    """,
    "a ready hold and its copy agree": """
        SELECT hold.id, copy.id AS copy_id, copy.custody, copy.condition
        FROM holds AS hold JOIN copies AS copy ON copy.id = hold.copy_id
        WHERE hold.status = 'READY' AND (copy.book_id <> hold.book_id
           OR copy.custody NOT IN ('ON_HOLD_SHELF', 'RESERVED', 'ON_ROBOT'))
        UNION ALL
        SELECT NULL, copy.id, copy.custody, copy.condition FROM copies AS copy
        WHERE copy.custody = 'ON_HOLD_SHELF' AND NOT EXISTS (
            SELECT 1 FROM holds WHERE copy_id = copy.id AND status = 'READY')
    """,
    "a loan ends after it began, and its state says whether it is open": """
        SELECT id, state, borrowed_at, due_at, returned_at FROM loans
        WHERE due_at < borrowed_at OR returned_at < borrowed_at
           OR (returned_at IS NOT NULL) <> (state = 'RETURNED')
    """,
}
assert set(TRANSITIONS) == set(Action)  # the history check covers every action


_STATEMENTS = {
    invariant: Prepared(f"invariant_{number}", query)
    for number, (invariant, query) in enumerate(INVARIANTS.items())
}


def find_violations(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return each violated invariant with the rows that violate it (at most 20)."""
    found = {}
    for invariant, statement in _STATEMENTS.items():
        result = connection.exec_driver_sql(statement.prepared_on(connection))
        if rows := result.mappings().fetchmany(20):
            found[invariant] = [dict(row) for row in rows]
    return found
