"""Move the count of a title's available copies by the difference instead of counting them again.

As long as a title has another available copy, its status stays AVAILABLE, and what a change of its
copies adds or takes away is known. Counting thirty copies took most of the time of the trigger.

Revision: 0024, after 0023.
"""

from importlib import import_module
from typing import Any

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_planned: Any = import_module("backend.shared.migrations.versions.0023_planned_counts")

# Both functions lock the titles that they change, so that concurrent changes follow each other.
_COUNT = """
CREATE FUNCTION count_copies(touched uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
BEGIN
    PERFORM 1 FROM books WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE books
    SET copies_total = counted.total,
        copies_available = counted.available,
        status = counted.status
    FROM unnest(touched) AS book (id) CROSS JOIN LATERAL (
        SELECT {counts} FROM copies AS copy WHERE copy.book_id = book.id
    ) AS counted
    WHERE books.id = book.id
      AND (books.copies_total, books.copies_available, books.status)
          IS DISTINCT FROM (counted.total, counted.available, counted.status);
END $$
"""
_DERIVE = """
CREATE OR REPLACE FUNCTION derive_books() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched uuid[];
    moved int;  -- by how much the available copies change
    kept int;   -- and those that are not withdrawn
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT book_id) INTO touched FROM after_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT book_id) INTO touched FROM before_rows;
    ELSE
        SELECT array_agg(DISTINCT book_id),
               sum(CASE WHEN condition = 'OK' AND custody = 'ON_SHELF' THEN sign ELSE 0 END),
               sum(CASE WHEN condition <> 'WITHDRAWN' THEN sign ELSE 0 END)
        INTO touched, moved, kept
        FROM (
            SELECT book_id, condition, custody, -1 AS sign FROM before_rows
            UNION ALL SELECT book_id, condition, custody, 1 FROM after_rows
        ) AS both_rows;
        IF cardinality(touched) = 1 AND kept = 0 THEN
            IF moved = 0 THEN
                PERFORM 1 FROM books WHERE id = touched[1] AND copies_available > 0
                FOR NO KEY UPDATE;
            ELSE
                UPDATE books SET copies_available = copies_available + moved
                WHERE id = touched[1] AND copies_available > greatest(0, -moved);
            END IF;
            IF FOUND THEN
                RETURN NULL;
            END IF;
        END IF;
    END IF;
    PERFORM count_copies(touched);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(_COUNT.format(counts=_planned.COUNTS))
    # Without the settings of its statements, which belong to count_copies now.
    connection.exec_driver_sql("ALTER FUNCTION derive_books RESET ALL")
    connection.exec_driver_sql(_DERIVE)


def downgrade() -> None:
    _planned.upgrade()
    op.execute("DROP FUNCTION count_copies")
