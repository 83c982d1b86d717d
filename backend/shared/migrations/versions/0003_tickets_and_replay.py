"""Add WebSocket tickets, and the topics by which the live view replays an event.

Revision: 0003, after 0002.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE ws_tickets (
            ticket_hash text NOT NULL,
            user_id uuid NOT NULL,
            session_id uuid NOT NULL,
            role character varying(32) NOT NULL,
            epoch integer NOT NULL,
            token_expires_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT pk_ws_tickets PRIMARY KEY (ticket_hash),
            CONSTRAINT ck_ws_tickets_role
                CHECK (role IN ('STUDENT', 'LIBRARIAN', 'ADMIN', 'ROBOT')),
            CONSTRAINT fk_ws_tickets_user_id_users
                FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
            CONSTRAINT fk_ws_tickets_session_id_sessions
                FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
        );
        CREATE INDEX ix_ws_tickets_expires_at ON ws_tickets (expires_at);
        CREATE INDEX ix_ws_tickets_session_id ON ws_tickets (session_id);
        CREATE INDEX ix_ws_tickets_user_id ON ws_tickets (user_id);
        GRANT SELECT, INSERT, UPDATE, DELETE ON ws_tickets TO luna_app;
        ALTER TABLE outbox ADD COLUMN topics text[];
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE outbox DROP COLUMN topics;
        DROP TABLE ws_tickets;
    """)
