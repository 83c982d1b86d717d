"""Dependencies of routes: a transaction to write in or a connection to read from.

The transaction is committed before the response is sent: with FastAPI's default scope a failed
commit would follow a response of 200.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from backend.shared.infra import database


def _request_transaction() -> Iterator[Session]:
    with database.transaction() as session:
        yield session


def _reading() -> Iterator[Connection]:
    with database.reading_engine().connect() as connection:
        yield connection


SessionDep = Annotated[Session, Depends(_request_transaction, scope="function")]
ReadDep = Annotated[Connection, Depends(_reading, scope="function")]
