"""Words of a search evaluated once, lists counted by indexes alone, refused rows kept as uploaded.

Revision: 0019, after 0018.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The rules of unaccent change only with PostgreSQL's files; the stored words would be stale then
# too. As a stable function it was evaluated again for each row that an index left to recheck.
_INDEXES = {
    "ix_books_title": "(lower(title), id)",
    "ix_books_author": "(lower(author), id)",
    "ix_books_publication_year": "(publication_year, id)",
    "ix_books_publication_year_desc": "(publication_year DESC NULLS LAST, id DESC)",
    "ix_books_status": "(status, created_at, id)",
    "ix_books_language": "(language, created_at, id)",
}


def _replace(condition: str) -> None:
    for name, columns in _INDEXES.items():
        op.execute(f"DROP INDEX {name}; CREATE INDEX {name} ON books {columns} {condition}")


def upgrade() -> None:
    op.execute("ALTER FUNCTION words_of(text) IMMUTABLE")
    _replace("WHERE withdrawn_at IS NULL")
    op.execute("ALTER TABLE import_rows ADD COLUMN source json")
    op.execute(
        "CREATE INDEX ix_loans_state ON loans (state, borrowed_at, id) WHERE state <> 'RETURNED'"
    )
    op.execute("DROP INDEX ix_books_subjects")  # of no statement: subjects are found by their words


def downgrade() -> None:
    op.execute("ALTER TABLE import_rows DROP COLUMN source")
    op.execute("DROP INDEX ix_loans_state")
    op.execute("CREATE INDEX ix_books_subjects ON books USING gin (subjects)")
    _replace("")
    op.execute("ALTER FUNCTION words_of(text) STABLE")
