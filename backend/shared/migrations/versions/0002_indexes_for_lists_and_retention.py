"""Add the indexes that plans on a filled database were missing.

Revision: 0002, after 0001.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX ix_notifications_created_at ON notifications (created_at);
        CREATE INDEX ix_loans_open_borrowed_at ON loans (borrowed_at, id)
            WHERE returned_at IS NULL;
        CREATE INDEX ix_books_publication_year_desc
            ON books (publication_year DESC NULLS LAST, id DESC);
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_notifications_created_at, ix_loans_open_borrowed_at,
            ix_books_publication_year_desc;
    """)
