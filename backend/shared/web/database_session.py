"""Dependencies that give a route its transaction or its read connection."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from backend.shared.infra.database import reading_engine, transaction


def _request_transaction() -> Iterator[Session]:
    with transaction() as session:
        yield session


def _reading() -> Iterator[Connection]:
    with reading_engine().connect() as connection:
        yield connection


SessionDep = Annotated[Session, Depends(_request_transaction, scope="function")]


ReadDep = Annotated[Connection, Depends(_reading, scope="function")]
