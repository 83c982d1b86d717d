"""What the database itself keeps true: derived columns, wake-ups, rows there is one of, rights."""

from alembic import op

# A title's status and counts follow from its copies (api.md §6): the best usable copy decides.
# The titles are locked first, so that two changes at once are counted one after the other.
_DERIVE_BOOKS = """
CREATE FUNCTION derive_books() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT book_id) INTO touched FROM after_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT book_id) INTO touched FROM before_rows;
    ELSE
        SELECT array_agg(DISTINCT book_id) INTO touched
        FROM (SELECT book_id FROM before_rows UNION SELECT book_id FROM after_rows) AS both_rows;
    END IF;
    PERFORM 1 FROM books WHERE id = ANY (touched) ORDER BY id FOR UPDATE;
    UPDATE books
    SET copies_total = counted.total,
        copies_available = counted.available,
        status = counted.status
    FROM (
        SELECT book.id,
               count(copy.id) FILTER (WHERE copy.condition <> 'WITHDRAWN') AS total,
               count(copy.id) FILTER (
                   WHERE copy.condition = 'OK' AND copy.custody = 'ON_SHELF'
               ) AS available,
               CASE max(CASE WHEN copy.condition <> 'OK' THEN 0
                             WHEN copy.custody = 'ON_SHELF' THEN 3
                             WHEN copy.custody = 'ON_LOAN' THEN 1
                             ELSE 2 END)
                   WHEN 3 THEN 'AVAILABLE'
                   WHEN 2 THEN 'RESERVED'
                   WHEN 1 THEN 'CHECKED_OUT'
                   ELSE 'UNAVAILABLE'
               END AS status
        FROM books AS book LEFT JOIN copies AS copy ON copy.book_id = book.id
        WHERE book.id = ANY (touched)
        GROUP BY book.id
    ) AS counted
    WHERE books.id = counted.id
      AND (books.copies_total, books.copies_available, books.status)
          IS DISTINCT FROM (counted.total, counted.available, counted.status);
    RETURN NULL;
END $$;
CREATE TRIGGER derive_books_insert AFTER INSERT ON copies
    REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION derive_books();
CREATE TRIGGER derive_books_update AFTER UPDATE ON copies
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION derive_books();
CREATE TRIGGER derive_books_delete AFTER DELETE ON copies
    REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION derive_books();
"""

# The form in which words are indexed and sought: accents folded, apostrophes dropped, other
# punctuation parting words ("Catch-22" is catch and 22). Not stemmed: titles come in many languages.
_WORDS_OF = r"""
CREATE FUNCTION words_of(given text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        translate(lower(unaccent(coalesce(given, ''))), '''`´', ''),
        '[[:punct:][:space:]]+', ' ', 'g'))
$$;
"""
_INDEX_BOOK = """
CREATE FUNCTION index_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search :=
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.title, NEW.isbn))), 'A') ||
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.author,
            array_to_string(NEW.contributors, ' ')))), 'B') ||
        setweight(to_tsvector('simple', words_of(concat_ws(' ', NEW.subtitle,
            array_to_string(NEW.subjects, ' ')))), 'C') ||
        setweight(to_tsvector('simple', words_of(NEW.publisher)), 'D');
    RETURN NEW;
END $$;
CREATE TRIGGER index_book BEFORE INSERT OR UPDATE OF
    title, isbn, author, contributors, subtitle, subjects, publisher ON books
    FOR EACH ROW EXECUTE FUNCTION index_book();
"""

_NOTIFY_OUTBOX = """
CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER notify_outbox AFTER INSERT ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();
"""

# A lease token only grows, over all commands and restarts; so do a version of the stop and the
# number of a barcode.
_COUNTERS = """
CREATE SEQUENCE lease_tokens;
CREATE SEQUENCE stop_versions;
CREATE SEQUENCE barcodes MAXVALUE 99999999;
INSERT INTO fleet_state (id, stop_version, map_version) VALUES (1, 0, 0);
INSERT INTO live_position (id, pos) VALUES (1, 0);
"""

# The application reads and writes rows; it can't alter the schema, nor touch what the audit and
# the journeys' history have written.
_RIGHTS = """
GRANT USAGE ON SCHEMA public TO luna_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO luna_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO luna_app;
REVOKE UPDATE, DELETE ON audit_logs FROM luna_app;
REVOKE UPDATE ON task_status_history, loading_proofs FROM luna_app;
REVOKE DELETE ON loading_proofs FROM luna_app;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM luna_app;
"""


def create() -> None:
    for statement in (_DERIVE_BOOKS, _WORDS_OF, _INDEX_BOOK, _NOTIFY_OUTBOX, _COUNTERS, _RIGHTS):
        op.execute(statement)


def drop() -> None:
    op.execute("DROP SEQUENCE lease_tokens, stop_versions, barcodes")
    op.execute("DROP TRIGGER notify_outbox ON outbox; DROP FUNCTION notify_outbox")
    op.execute("DROP TRIGGER index_book ON books; DROP FUNCTION index_book, words_of")
    for moment in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER derive_books_{moment} ON copies")
    op.execute("DROP FUNCTION derive_books")
