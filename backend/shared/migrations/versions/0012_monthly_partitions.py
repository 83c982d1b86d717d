"""Store the audit trail and the robots' status logs in monthly partitions: 0011_….sql.

Revision: 0012, after 0011.
"""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(statements)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_delivery_tasks_completed_at, ix_task_status_history_created_at,
            ix_robot_errors_created_at, ix_robot_errors_task_id, ix_import_jobs_finished_at,
            ix_sessions_expires_at;
        DROP TRIGGER log_robot_status ON robots;
        DROP FUNCTION log_robot_status;
        DROP TABLE robot_status_logs;
        CREATE TABLE audit_logs_before (LIKE audit_logs);
        INSERT INTO audit_logs_before SELECT * FROM audit_logs;
        DROP TABLE audit_logs;
        ALTER TABLE audit_logs_before RENAME TO audit_logs;
        ALTER TABLE audit_logs ADD CONSTRAINT pk_audit_logs PRIMARY KEY (id),
            ADD CONSTRAINT fk_audit_logs_user_id_users
                FOREIGN KEY (user_id) REFERENCES users (id);
        CREATE INDEX ix_audit_logs_created_at ON audit_logs (created_at, id);
        CREATE INDEX ix_audit_logs_resource ON audit_logs (resource_type, resource_id, created_at);
        CREATE INDEX ix_audit_logs_user_id ON audit_logs (user_id, created_at);
        GRANT SELECT, INSERT ON audit_logs TO luna_app;
        DROP FUNCTION create_month_partition, drop_month_partitions;
    """)
