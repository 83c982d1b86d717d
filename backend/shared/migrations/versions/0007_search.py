"""Search with typing errors: normalized text, vocabulary, suggestions.

Revision: 0007, after 0006.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FIRST_INDEX_BOOK = """
CREATE OR REPLACE FUNCTION index_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search :=
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.title, NEW.isbn))), 'A') ||
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.author,
            array_to_string(NEW.contributors, ' ')))), 'B') ||
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.subtitle,
            array_to_string(NEW.subjects, ' ')))), 'C') ||
        setweight(to_tsvector('simple', words_of(NEW.publisher)), 'D');
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # Through the driver's cursor, which leaves the operator % alone.
    op.get_bind().connection.cursor().execute(statements)


def downgrade() -> None:
    op.execute("DROP FUNCTION similar_words, similar_books")
    op.execute("DROP TABLE search_words, search_phrases, search_state")
    op.get_bind().exec_driver_sql(_FIRST_INDEX_BOOK)
    op.execute("""
        ALTER TABLE books DROP COLUMN title_words, DROP COLUMN main_title_words,
            DROP COLUMN doc_words;
        DROP INDEX ix_books_created_at;
        CREATE INDEX ix_books_created_at ON books (created_at, id);
        UPDATE books SET title = title;
    """)
