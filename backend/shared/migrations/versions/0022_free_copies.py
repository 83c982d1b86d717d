"""Find a free copy of a title in one look-up; leave room for the counters of a title.

With the id in the index, the first free copy needs no sort: for titles with many copies PostgreSQL
walked the primary key instead, past the copies of all other titles.

Revision: 0022, after 0021.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_FILLFACTOR = 90  # per cent: a counter is then updated on the same page, without the indexes


def upgrade() -> None:
    _replace_index("book_id, custody, condition, id")
    op.execute(f"ALTER TABLE books SET (fillfactor = {_FILLFACTOR})")


def downgrade() -> None:
    op.execute("ALTER TABLE books RESET (fillfactor)")
    _replace_index("book_id, custody, condition")


def _replace_index(columns: str) -> None:
    op.execute("DROP INDEX ix_copies_book_id")
    op.execute(f"CREATE INDEX ix_copies_book_id ON copies ({columns})")
