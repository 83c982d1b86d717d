"""Let each service have a database role of its own: a column to lock, functions to act by.

The grants are data (`backend.shared.models.privileges`), given after the migrations.

Revision: 0018, after 0017.
"""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    """Give the role that all services had its privileges back."""
    op.get_bind().exec_driver_sql(_DOWNGRADE)


_DOWNGRADE = """
    DROP FUNCTION create_member, erase_person, add_month, drop_expired_months;
    DROP FUNCTION partition_key;
    ALTER FUNCTION derive_books SECURITY INVOKER RESET search_path;
    ALTER FUNCTION log_robot_status SECURITY INVOKER RESET search_path;
    ALTER TABLE users DROP COLUMN lock_version;
    CREATE FUNCTION destroy_person_key(person uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM users WHERE id = person AND erased_at IS NOT NULL) THEN
            RAISE insufficient_privilege USING MESSAGE = 'the account is not erased';
        END IF;
        DELETE FROM person_keys WHERE user_id = person;
    END $$;
    REVOKE ALL ON FUNCTION destroy_person_key FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION destroy_person_key TO luna_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO luna_app;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO luna_app;
    REVOKE UPDATE, DELETE ON audit_logs FROM luna_app;
    REVOKE INSERT, UPDATE, DELETE ON alembic_version, person_keys, audit_chain FROM luna_app;
    REVOKE UPDATE ON task_status_history, copy_history, robot_status_logs FROM luna_app;
    REVOKE UPDATE, DELETE ON loading_proofs FROM luna_app;
    REVOKE DELETE ON robot_status_logs FROM luna_app;
"""
