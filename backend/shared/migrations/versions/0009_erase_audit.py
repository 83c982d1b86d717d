"""Add the function that removes personal values of an erased account from the audit trail.

The application's role cannot change entries; the function runs with the owner's rights and only
for an account that is erased.

Revision: 0009, after 0008.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION erase_audit_of(person uuid) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            IF NOT EXISTS (SELECT FROM users WHERE id = person AND erased_at IS NOT NULL) THEN
                RAISE insufficient_privilege USING MESSAGE = 'the account is not erased';
            END IF;
            UPDATE audit_logs SET ip_address = NULL
                WHERE user_id = person AND ip_address IS NOT NULL;
            UPDATE audit_logs
                SET changes = changes - '{email,first_name,last_name,phone_number}'::text[]
                WHERE resource_type = 'user' AND resource_id = person::text;
        END $$;
        REVOKE ALL ON FUNCTION erase_audit_of FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION erase_audit_of TO luna_app;
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION erase_audit_of")
