"""Empties the database between tests, and between the examples of one."""

from itertools import count

from psycopg2.errors import DeadlockDetected
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

_TRUNCATE_EVERY = 50  # tests; between them rows are deleted, which is faster for a few rows
_TRIES = 5

# Empties every table and sets the counters to their initial values. Triggers and foreign keys are
# off (replica). TRUNCATE gives each table and index a new file: slow, but it leaves no dead rows.
# The lock waits for the end of what the robot service does by itself, which may write an event.
_EMPTY = """
DO $$
DECLARE
    candidate text;
    filled text[] := '{{}}';
    has_rows boolean;
    has_many boolean := {truncate};
BEGIN
    SET LOCAL session_replication_role = replica;
    LOCK TABLE robots IN EXCLUSIVE MODE;
    FOR candidate IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', candidate) INTO has_rows;
        IF has_rows THEN
            filled := filled || quote_ident(candidate);
            EXECUTE format('SELECT EXISTS (SELECT FROM %I OFFSET 500) OR $1', candidate)
                INTO has_many USING has_many;
        END IF;
    END LOOP;
    IF has_many AND filled <> '{{}}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(filled, ', ') || ' CASCADE';
    ELSE
        FOREACH candidate IN ARRAY filled LOOP
            EXECUTE 'DELETE FROM ' || candidate;
        END LOOP;
    END IF;
    INSERT INTO fleet_state (id, map_version) VALUES (1, 0) ON CONFLICT DO NOTHING;
    INSERT INTO stop_latches (id, version, stopped)
        VALUES ('00000000-0000-0000-0000-000000000000', 0, false) ON CONFLICT DO NOTHING;
    INSERT INTO live_position (id, pos) VALUES (1, 0) ON CONFLICT DO NOTHING;
END $$;
"""
_cleanings = count(1)


def empty(superuser: Engine, *, truncate: bool = False) -> None:
    """Delete every row, by TRUNCATE now and then.

    Work that a test left behind, such as a heartbeat that is written later, may still be in a
    transaction: after a deadlock with it the database is emptied again.
    """
    truncate = truncate or next(_cleanings) % _TRUNCATE_EVERY == 0
    for left in reversed(range(_TRIES)):
        try:
            with superuser.begin() as connection:
                connection.execute(text(_EMPTY.format(truncate=truncate)))
        except OperationalError as error:
            if not left or not isinstance(error.orig, DeadlockDetected):
                raise
        else:
            return
