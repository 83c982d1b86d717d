"""Plan the statements that count the copies of titles once per connection.

For the array of touched titles PostgreSQL planned them for each change of a copy, which cost an
eighth of its processor time for a new request. A plan that is kept must use the indexes, however
few rows there were when it was made.

Revision: 0023, after 0022.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        _function(
            "SET plan_cache_mode = force_generic_plan SET enable_seqscan = off",
            "NO KEY UPDATE",
            """
            FROM unnest(touched) AS book (id) CROSS JOIN LATERAL (
                SELECT {counts} FROM copies AS copy WHERE copy.book_id = book.id
            ) AS counted
            WHERE books.id = book.id
            """,
        )
    )


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        _function(
            "",
            "UPDATE",
            """
            FROM (
                SELECT book.id, {counts}
                FROM books AS book LEFT JOIN copies AS copy ON copy.book_id = book.id
                WHERE book.id = ANY (touched)
                GROUP BY book.id
            ) AS counted
            WHERE books.id = counted.id
            """,
        )
    )


def _function(settings: str, lock: str, counted: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION derive_books() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = public, pg_temp {settings} AS $$
        DECLARE
            touched uuid[];
        BEGIN
            IF TG_OP = 'INSERT' THEN
                SELECT array_agg(DISTINCT book_id) INTO touched FROM after_rows;
            ELSIF TG_OP = 'DELETE' THEN
                SELECT array_agg(DISTINCT book_id) INTO touched FROM before_rows;
            ELSE
                SELECT array_agg(DISTINCT book_id) INTO touched FROM (
                    SELECT book_id FROM before_rows UNION ALL SELECT book_id FROM after_rows
                ) AS both_rows;
            END IF;
            PERFORM 1 FROM books WHERE id = ANY (touched) ORDER BY id FOR {lock};
            UPDATE books
            SET copies_total = counted.total,
                copies_available = counted.available,
                status = counted.status
            {counted.format(counts=COUNTS)}
              AND (books.copies_total, books.copies_available, books.status)
                  IS DISTINCT FROM (counted.total, counted.available, counted.status);
            RETURN NULL;
        END $$
    """  # noqa: S608 (constants of this module)


COUNTS = """
    count(copy.id) FILTER (WHERE copy.condition <> 'WITHDRAWN') AS total,
    count(copy.id) FILTER (WHERE copy.condition = 'OK' AND copy.custody = 'ON_SHELF') AS available,
    CASE max(CASE WHEN copy.condition <> 'OK' THEN 0
                  WHEN copy.custody = 'ON_SHELF' THEN 3
                  WHEN copy.custody = 'ON_LOAN' THEN 1
                  ELSE 2 END)
        WHEN 3 THEN 'AVAILABLE'
        WHEN 2 THEN 'RESERVED'
        WHEN 1 THEN 'CHECKED_OUT'
        ELSE 'UNAVAILABLE'
    END AS status
"""
