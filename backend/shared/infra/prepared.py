"""Statements that each connection prepares once, so that PostgreSQL parses and plans them no more.

For writes of the hot paths: a plan of several inserts costs more than running it. They run on the
connection of a session, in its transaction; the caller flushes what they depend on.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.orm import Session

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


BY_NAME: "dict[str, Prepared]" = {}


class Prepared:
    """A statement with parameters as `:name`; where its context gives no type: `CAST(:name AS …)`.

    Rows come as psycopg2 reads them: an enumeration is its text.
    """

    def __init__(self, name: str, sql: str) -> None:
        names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql)
        self._name = name
        self.plain = _PARAMETER.sub(r"%(\1)s", sql)
        self._prepare = f"PREPARE {name} AS {numbered}"
        self._execute = f"EXECUTE {name} ({', '.join(f'%({each})s' for each in names)})"
        if BY_NAME.setdefault(name, self) is not self:
            raise ValueError(f"two statements are named {name}")

    def run(
        self, session: Session, values: Mapping[str, Any], *, after: "Prepared | None" = None
    ) -> CursorResult[Any]:
        """Run the statement and return its rows.

        `after` runs before it in the same round trip. The statement sees what was committed while
        the one before waited for a lock.
        """
        connection = session.connection()
        if connection.dialect.driver != "psycopg2":  # psycopg 3 prepares what it repeats
            return connection.exec_driver_sql(self.plain, dict(values))
        words = self.prepared_on(connection)
        if after is not None:
            words = f"{after.prepared_on(connection)}; {words}"
        return connection.exec_driver_sql(words, dict(values))

    def prepared_on(self, connection: Connection) -> str:
        """Prepare the statement unless this connection has; return the words that run it."""
        if self._name not in connection.info:
            cursor = connection.connection.cursor()
            cursor.execute(self._prepare)
            cursor.close()
            connection.info[self._name] = True
        return self._execute
