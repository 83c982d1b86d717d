"""Merges of duplicate titles.

Revision: 0016, after 0015.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE books ADD COLUMN merged_into_id uuid
            CONSTRAINT fk_books_merged_into_id_books REFERENCES books (id);
        CREATE INDEX ix_books_merged_into_id ON books (merged_into_id)
            WHERE merged_into_id IS NOT NULL;
        CREATE TABLE book_merges (
            id         uuid        NOT NULL,
            book_id    uuid        NOT NULL,
            into_id    uuid        NOT NULL,
            copies     jsonb       NOT NULL,
            holds      jsonb       NOT NULL,
            created_by uuid        NOT NULL,
            created_at timestamptz NOT NULL,
            undone_at  timestamptz,
            CONSTRAINT pk_book_merges PRIMARY KEY (id),
            CONSTRAINT fk_book_merges_book_id_books FOREIGN KEY (book_id) REFERENCES books (id),
            CONSTRAINT fk_book_merges_into_id_books FOREIGN KEY (into_id) REFERENCES books (id),
            CONSTRAINT fk_book_merges_created_by_users
                FOREIGN KEY (created_by) REFERENCES users (id)
        );
        CREATE INDEX ix_book_merges_book_id ON book_merges (book_id);
        CREATE INDEX ix_book_merges_into_id ON book_merges (into_id);
        GRANT SELECT, INSERT, UPDATE, DELETE ON book_merges TO luna_app;
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE book_merges;
        ALTER TABLE books DROP COLUMN merged_into_id;
    """)
