"""Alerts; why a task waits and when it ends; claims, extensions, hand-over tries; closed edges.

Revision: 0011, after 0010.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TASKS = """
    ALTER TABLE delivery_tasks
        ADD COLUMN waiting_reason varchar(32),
        ADD COLUMN extensions     integer NOT NULL DEFAULT 0,
        ADD COLUMN claimed_by     uuid,
        ADD COLUMN claimed_at     timestamptz,
        ADD COLUMN eta_earliest   timestamptz,
        ADD COLUMN eta_latest     timestamptz,
        ADD COLUMN eta_reason     varchar(32),
        ADD CONSTRAINT fk_delivery_tasks_claimed_by_users
            FOREIGN KEY (claimed_by) REFERENCES users (id),
        ADD CONSTRAINT ck_delivery_tasks_waitingreason CHECK (waiting_reason IN (
            'ROBOTS_BUSY', 'ROBOTS_CHARGING', 'ROBOTS_OFFLINE', 'ROBOTS_STOPPED',
            'NO_ROBOT_IN_SERVICE', 'NO_ROUTE')),
        ADD CONSTRAINT ck_delivery_tasks_etareason CHECK (eta_reason IN (
            'WAITING_FOR_ROBOT', 'WAITING_TO_BE_LOADED', 'ANOTHER_ROBOT', 'ROBOT_STOPPED',
            'ROBOT_OFFLINE', 'DETOUR', 'SLOWER'));
    ALTER TABLE delivery_tasks ALTER COLUMN extensions DROP DEFAULT;
"""
_ALERTS = """
    CREATE TABLE alerts (
        id          uuid        NOT NULL,
        kind        varchar(32) NOT NULL,
        subject     text        NOT NULL,
        severity    varchar(32) NOT NULL,
        task_id     uuid,
        robot_id    uuid,
        message     text        NOT NULL,
        reason      text,
        count       integer     NOT NULL,
        first_at    timestamptz NOT NULL,
        last_at     timestamptz NOT NULL,
        claimed_by  uuid,
        claimed_at  timestamptz,
        resolved_by uuid,
        resolved_at timestamptz,
        resolution  text,
        version     integer     NOT NULL,
        CONSTRAINT pk_alerts PRIMARY KEY (id),
        CONSTRAINT ck_alerts_alertkind CHECK (kind IN (
            'TASK_FAILED', 'TASK_NEEDS_ATTENTION', 'NO_ROBOT', 'REQUEST_PROBLEM',
            'ROBOT_OFFLINE', 'ROBOT_ERROR', 'STOP_UNCONFIRMED', 'EVENT_DEAD', 'EVENTS_LATE')),
        CONSTRAINT ck_alerts_alertseverity CHECK (severity IN ('WARNING', 'CRITICAL')),
        CONSTRAINT fk_alerts_task_id_delivery_tasks FOREIGN KEY (task_id)
            REFERENCES delivery_tasks (id),
        CONSTRAINT fk_alerts_robot_id_robots FOREIGN KEY (robot_id) REFERENCES robots (id),
        CONSTRAINT fk_alerts_claimed_by_users FOREIGN KEY (claimed_by) REFERENCES users (id),
        CONSTRAINT fk_alerts_resolved_by_users FOREIGN KEY (resolved_by) REFERENCES users (id)
    );
    CREATE UNIQUE INDEX uq_alerts_open ON alerts (kind, subject) WHERE resolved_at IS NULL;
    CREATE INDEX ix_alerts_task_id ON alerts (task_id);
    CREATE INDEX ix_alerts_robot_id ON alerts (robot_id);
    CREATE INDEX ix_alerts_last_at ON alerts (last_at, id);
    GRANT SELECT, INSERT, UPDATE, DELETE ON alerts TO luna_app;
"""


def upgrade() -> None:
    op.execute(_TASKS)
    op.execute("""
        ALTER TABLE book_requests ADD COLUMN code_tries integer NOT NULL DEFAULT 0;
        ALTER TABLE book_requests ALTER COLUMN code_tries DROP DEFAULT;
        ALTER TABLE robots ADD COLUMN paused_at timestamptz, ADD COLUMN paused_by uuid;
        ALTER TABLE waypoint_edges
            ADD COLUMN kind           varchar(32) NOT NULL DEFAULT 'CORRIDOR',
            ADD COLUMN closed_reason  text,
            ADD COLUMN measured_speed double precision,
            ADD CONSTRAINT ck_waypoint_edges_edgekind CHECK (kind IN ('CORRIDOR', 'LIFT'));
        ALTER TABLE waypoint_edges ALTER COLUMN kind DROP DEFAULT;
    """)
    op.execute(_ALERTS)


def downgrade() -> None:
    op.execute("""
        DROP TABLE alerts;
        ALTER TABLE waypoint_edges
            DROP COLUMN kind, DROP COLUMN closed_reason, DROP COLUMN measured_speed;
        ALTER TABLE robots DROP COLUMN paused_at, DROP COLUMN paused_by;
        ALTER TABLE book_requests DROP COLUMN code_tries;
        ALTER TABLE delivery_tasks
            DROP COLUMN waiting_reason, DROP COLUMN extensions, DROP COLUMN claimed_by,
            DROP COLUMN claimed_at, DROP COLUMN eta_earliest, DROP COLUMN eta_latest,
            DROP COLUMN eta_reason;
    """)
