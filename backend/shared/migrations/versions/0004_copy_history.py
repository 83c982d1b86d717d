"""Add the place of a copy at a desk and the history of a copy's custody and condition.

Revision: 0004, after 0003. Repairs what the first release left: a copy at a desk has no place, and
a transfer may have made another waypoint than a workstation the copy's home.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CUSTODY = "'ON_SHELF', 'RESERVED', 'ON_ROBOT', 'ON_LOAN', 'ON_HOLD_SHELF', 'AT_DESK'"
_CONDITION = "'OK', 'REFERENCE_ONLY', 'IN_PROCESS', 'DAMAGED', 'MISSING', 'LOST', 'WITHDRAWN'"


def upgrade() -> None:
    _add_place()
    _create_history()


def _add_place() -> None:
    op.execute("""
        ALTER TABLE copies
            ADD COLUMN waypoint_id uuid
            CONSTRAINT fk_copies_waypoint_id_waypoints REFERENCES waypoints (id);
        UPDATE copies SET home_workstation_id = NULL
            FROM waypoints AS home
            WHERE home.id = copies.home_workstation_id AND home.kind <> 'WORKSTATION';
        UPDATE copies SET waypoint_id = coalesce(
                (SELECT task.destination_waypoint_id FROM delivery_tasks AS task
                 WHERE task.copy_id = copies.id AND task.status = 'COMPLETED'
                 ORDER BY task.completed_at DESC LIMIT 1),
                copies.home_workstation_id,
                (SELECT id FROM waypoints WHERE kind = 'WORKSTATION' AND is_active
                 ORDER BY location_code LIMIT 1))
            WHERE custody = 'AT_DESK';
        UPDATE copies SET custody = 'ON_SHELF' WHERE custody = 'AT_DESK' AND waypoint_id IS NULL;
        ALTER TABLE copies ADD CONSTRAINT ck_copies_at_desk_has_a_place CHECK (
            custody IN ('RESERVED', 'ON_ROBOT')
            OR (custody = 'AT_DESK') = (waypoint_id IS NOT NULL));
        CREATE INDEX ix_copies_waypoint_id ON copies (waypoint_id);
        CREATE INDEX ix_copies_home_workstation_id ON copies (home_workstation_id);
    """)


def _create_history() -> None:
    op.execute(
        f"""
        CREATE TABLE copy_history (
            id             uuid        NOT NULL,
            copy_id        uuid        NOT NULL,
            from_custody   varchar(32) NOT NULL,
            to_custody     varchar(32) NOT NULL,
            from_condition varchar(32) NOT NULL,
            to_condition   varchar(32) NOT NULL,
            place          text,
            task_id        uuid,
            changed_by     text        NOT NULL,
            created_at     timestamptz NOT NULL,
            CONSTRAINT pk_copy_history PRIMARY KEY (id),
            CONSTRAINT fk_copy_history_copy_id_copies FOREIGN KEY (copy_id) REFERENCES copies (id),
            CONSTRAINT fk_copy_history_task_id_delivery_tasks FOREIGN KEY (task_id)
                REFERENCES delivery_tasks (id) ON DELETE SET NULL,
            CONSTRAINT ck_copy_history_from_custody CHECK (from_custody IN ({_CUSTODY})),
            CONSTRAINT ck_copy_history_to_custody CHECK (to_custody IN ({_CUSTODY})),
            CONSTRAINT ck_copy_history_from_condition CHECK (from_condition IN ({_CONDITION})),
            CONSTRAINT ck_copy_history_to_condition CHECK (to_condition IN ({_CONDITION}))
        );
        CREATE INDEX ix_copy_history_copy_id ON copy_history (copy_id, id);
        CREATE INDEX ix_copy_history_task_id ON copy_history (task_id);
        GRANT SELECT, INSERT, DELETE ON copy_history TO luna_app;
        INSERT INTO copy_history
            SELECT (lpad(to_hex(floor(extract(epoch FROM now()) * 1000)::bigint), 12, '0')
                    || '7' || substr(md5(id::text), 1, 3) || '8' || substr(md5(id::text), 4, 15)
                   )::uuid,  -- version 7, so that later entries sort after it
                   id, 'ON_SHELF', custody, 'OK', condition, NULL, NULL, 'migration 0004', now()
            FROM copies WHERE custody <> 'ON_SHELF';
    """  # noqa: S608 (the constants above)
    )


def downgrade() -> None:
    op.execute("""
        DROP TABLE copy_history;
        DROP INDEX ix_copies_waypoint_id, ix_copies_home_workstation_id;
        ALTER TABLE copies DROP CONSTRAINT ck_copies_at_desk_has_a_place, DROP COLUMN waypoint_id;
    """)
