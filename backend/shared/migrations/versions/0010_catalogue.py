"""Titles without an author; identifiers that can be searched.

Revision: 0010, after 0009.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE books ALTER COLUMN author DROP NOT NULL;
        CREATE INDEX ix_books_other_identifiers
            ON books USING gin (other_identifiers jsonb_path_ops);
        -- Titles that an import was about, for later rows of the file and for an undo.
        CREATE TABLE import_titles (
            job_id     uuid    NOT NULL,
            book_id    uuid    NOT NULL,
            row        integer NOT NULL,
            is_created boolean NOT NULL,
            before     jsonb,
            version    integer NOT NULL,
            CONSTRAINT pk_import_titles PRIMARY KEY (job_id, book_id),
            CONSTRAINT fk_import_titles_job_id_import_jobs FOREIGN KEY (job_id)
                REFERENCES import_jobs (id) ON DELETE CASCADE,
            CONSTRAINT fk_import_titles_book_id_books FOREIGN KEY (book_id) REFERENCES books (id)
        );
        ALTER TABLE import_jobs ADD COLUMN undone_at timestamptz;
        GRANT SELECT, INSERT, UPDATE, DELETE ON import_titles TO luna_app;
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE import_titles;
        ALTER TABLE import_jobs DROP COLUMN undone_at;
        DROP INDEX ix_books_other_identifiers;
        UPDATE books SET author = '' WHERE author IS NULL;
        ALTER TABLE books ALTER COLUMN author SET NOT NULL;
    """)
