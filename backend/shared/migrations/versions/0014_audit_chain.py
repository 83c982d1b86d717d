"""Chain the audit trail by hash, and encrypt its personal values with a key per person.

Revision: 0014, after 0013.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import LargeBinary

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TRIGGER = """
    CREATE CONSTRAINT TRIGGER chain_audit_entry AFTER INSERT ON audit_logs
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chain_audit_entry()
"""
_ENTRIES = text("SELECT * FROM audit_logs ORDER BY created_at, id")
_KEYS = text("SELECT user_id, secret FROM person_keys").columns(secret=LargeBinary)
_UPDATE = text(
    "UPDATE audit_logs SET changes = :changes, ip_address = :ip_address WHERE id = :id"
).bindparams(bindparam("changes", type_=JSONB))
_CHAIN = text("""
    WITH entry AS (
        SELECT *, date_trunc('month', created_at, 'UTC')::date AS month
        FROM audit_logs WHERE id = :id AND created_at = :at
    ), link AS (
        SELECT e.month, coalesce(c.seq, 0) + 1 AS seq,
            coalesce(c.hash, sha256(convert_to(e.month::text, 'UTF8'))) AS previous
        FROM entry AS e LEFT JOIN audit_chain AS c ON c.month = e.month
        ORDER BY c.seq DESC LIMIT 1
    )
    INSERT INTO audit_chain (month, seq, audit_id, previous_hash, hash)
    SELECT e.month, link.seq, e.id, link.previous,
        audit_hash(link.previous, e.id, e.user_id, e.action, e.resource_type, e.resource_id,
            e.changes, e.ip_address, e.request_id, e.created_at)
    FROM entry AS e, link
""")


_DOWNGRADE = """
        DROP TRIGGER chain_audit_entry ON audit_logs;
        DROP FUNCTION verify_audit;
        DROP FUNCTION chain_audit_entry;
        DROP FUNCTION audit_hash;
        DROP TABLE audit_chain;
        DROP TRIGGER create_person_key ON users;
        DROP FUNCTION create_person_key;
        DROP FUNCTION destroy_person_key;
        DROP TABLE person_keys;
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
        CREATE OR REPLACE FUNCTION drop_month_partitions(parent text, key text, before timestamptz)
        RETURNS text[] LANGUAGE plpgsql SET timezone = 'UTC' AS $$
        DECLARE
            child text;
            dropped text[] := '{}';
        BEGIN
            FOR child IN SELECT inhrelid::regclass::text FROM pg_inherits
                WHERE inhparent = parent::regclass
                AND inhrelid::regclass::text ~ '_\\d{4}_\\d{2}$' LOOP
                IF to_date(right(child, 7), 'YYYY_MM')::timestamptz + interval '1 month' <= before
                THEN
                    EXECUTE format('DROP TABLE %I', child);
                    dropped := dropped || child;
                END IF;
            END LOOP;
            EXECUTE format('DELETE FROM %I WHERE %I < $1', parent || '_default', key)
                USING before;
            RETURN dropped;
        END $$;
    """


def upgrade() -> None:
    connection = op.get_bind()
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.execute(statements)
    _encrypt_and_chain(connection)
    op.execute(_TRIGGER)


def _encrypt_and_chain(connection: Connection) -> None:
    """Encrypt the personal values of existing entries, then chain them in their order."""
    from backend.shared.domain.audit import personal_data

    keys = {row.user_id: bytes(row.secret) for row in connection.execute(_KEYS)}
    for row in connection.execute(_ENTRIES).all():
        subject = personal_data.subject_of(row.user_id, row.resource_type, row.resource_id)
        sealed = {
            "changes": personal_data.seal_changes(row.changes, subject, keys.get(subject)),
            "ip_address": personal_data.seal(
                row.ip_address, row.user_id or subject, keys.get(row.user_id or subject)
            ),
        }
        if sealed != {"changes": row.changes, "ip_address": row.ip_address}:
            connection.execute(_UPDATE, {**sealed, "id": row.id})
        connection.execute(_CHAIN, {"id": row.id, "at": row.created_at})


def downgrade() -> None:
    """Encrypted values stay encrypted."""
    op.execute(_DOWNGRADE)
