"""Sessions and transactions: one request (or event) is one transaction.

Only `transaction` commits. Redis operations that depend on a commit (publish, invalidate) are
added to the session with `on_commit` and sent right after it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from select import POLLERR, POLLHUP, POLLIN, poll
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import Session

from backend.shared.infra import commit_hooks, config, logs, measured_pools

_log = logs.get(__name__)
_Model = TypeVar("_Model")
_Item = TypeVar("_Item")
PREPARED: "dict[str, Prepared]" = {}  # by name
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")
_LOCKED = frozenset({"40P01", "55P03"})  # PostgreSQL's codes: deadlock, lock not available
_LEVELS = ("AUTOCOMMIT", "READ COMMITTED")
_SHORT_WAIT = text("SET LOCAL lock_timeout = '250ms'")


def options() -> str:
    """Return what each connection that writes is opened with: the time limits of statements."""
    settings = config.database()
    return (
        f"-c lock_timeout={int(settings.lock_timeout.total_seconds() * 1000)} "
        f"-c statement_timeout={int(settings.statement_timeout.total_seconds() * 1000)} "
        "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC"
    )


@cache
def engine() -> Engine:
    settings = config.database()
    made = create_engine(
        settings.database_url,
        poolclass=measured_pools.ThreadPool,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=5,
        hide_parameters=True,  # they hold personal data, and errors are logged
        connect_args={"options": options(), "connect_timeout": 3},
    )
    event.listen(made, "checkout", _refuse_lost)
    # one that sends nothing
    made.dialect.set_isolation_level = _set_autocommit  # type: ignore[method-assign, assignment]
    return made


def _set_autocommit(connection: Any, level: str) -> None:
    """Set it in psycopg2, where `set_isolation_level` sends a statement after each read.

    ValueError for a level that a connection would keep when the pool gets it back.
    """
    if level not in _LEVELS:
        raise ValueError(f"a connection of this engine has no isolation level {level}")
    connection.autocommit = level == "AUTOCOMMIT"


def _refuse_lost(connection: DBAPIConnection, *_: object) -> None:
    """Let the pool replace a connection that the server has closed: its socket is readable.

    A statement to find out (`pool_pre_ping`) would cost a round trip for each request.
    """
    lost = poll()
    lost.register(connection.fileno(), POLLIN | POLLHUP | POLLERR)
    if lost.poll(0):
        raise DisconnectionError


@cache
def reading_engine() -> Engine:
    """Return the same pool without transactions: one round trip for one select."""
    return engine().execution_options(isolation_level="AUTOCOMMIT")


def new_session() -> Session:
    """Return a session; its transaction begins with the first statement."""
    return Session(engine(), expire_on_commit=False)


def commit_without_signals(session: Session) -> None:
    """Commit; the caller sends the session's signals."""
    session.commit()


def finish(session: Session) -> None:
    """Commit, then send the session's signals."""
    session.commit()
    commit_hooks.send(commit_hooks.of(session))


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit at the end and send the session's signals; roll back on any error."""
    with new_session() as session:
        yield session
        finish(session)


def run_each(items: Iterable[_Item], work: Callable[[Session, _Item], object]) -> int:
    """Run `work` for each item in a transaction of its own, which holds the locks of that one only.

    An item is an id or several. One that waits for a lock is given up and logged: periodic jobs
    try it again. Return how many returned a true value.
    """
    done = 0
    for each in items:
        try:
            with transaction() as own:
                own.execute(_SHORT_WAIT)
                found = work(own, each)
            done += bool(found)
        except OperationalError as error:
            if getattr(error.orig, "pgcode", None) not in _LOCKED:
                raise
            _log.warning("left for the next run", id=str(each), error=str(error.orig))
    return done


def on_commit(session: Session, signal: commit_hooks.Signal) -> None:
    """Send `signal` after this transaction has been committed."""
    commit_hooks.of(session).append(signal)


def row_lock(session: Session, model: type[_Model], row_id: UUID | None) -> _Model:
    """Lock a row that must exist and read it as it is now; NoResultFound when it does not."""
    return session.get_one(model, row_id, with_for_update=True, populate_existing=True)


def row_lock_or_none(session: Session, model: type[_Model], row_id: UUID | None) -> _Model | None:
    """Lock a row and read it as it is now; None when it does not exist."""
    return session.get(model, row_id, with_for_update=True, populate_existing=True)


def row_lock_or_skip(session: Session, model: type[_Model], row_id: UUID | None) -> _Model | None:
    """Lock a row and read it as it is now; None when it does not exist or is locked."""
    skip = {"skip_locked": True}
    return session.get(model, row_id, with_for_update=skip, populate_existing=True)


class Prepared:
    """A statement that each connection prepares once, so that it is not planned for each call.

    For writes of the hot paths: a plan of several inserts costs more than running it. Parameters
    are written `:name`, or `CAST(:name AS …)` where nothing else tells their type. It runs in the
    transaction of a session; the caller flushes what it depends on.

    Rows come as psycopg2 reads them: an enumeration is its text.
    """

    def __init__(self, name: str, sql: str) -> None:
        names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql)
        self._name = name
        self.plain = _PARAMETER.sub(r"%(\1)s", sql)
        self._prepare = f"PREPARE {name} AS {numbered}"
        values = f" ({', '.join(f'%({each})s' for each in names)})" if names else ""
        self._execute = f"EXECUTE {name}{values}"
        if PREPARED.setdefault(name, self) is not self:
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
