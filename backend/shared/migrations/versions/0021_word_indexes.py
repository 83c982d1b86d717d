"""Keep the entries of the word indexes sorted, so that a look-up after an import takes no seconds.

By default a GIN index appends new entries to an unsorted list, which every look-up reads to its
end until the next vacuum. A correction looks up hundreds of spellings in one statement.

Revision: 0021, after 0020.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_INDEXES = ("ix_search_words_word", "ix_search_phrases_similar")


def upgrade() -> None:
    for index in _INDEXES:
        op.execute(f"ALTER INDEX {index} SET (fastupdate = off)")
        op.execute(f"SELECT gin_clean_pending_list('{index}')")


def downgrade() -> None:
    for index in _INDEXES:
        op.execute(f"ALTER INDEX {index} RESET (fastupdate)")
