"""Alembic environment: the models' metadata, the owner's URL, a short lock timeout."""

from alembic import context
from sqlalchemy import create_engine, text

from backend.shared.infra import config
from backend.shared.models import Base


def _url() -> str:
    given = context.config.attributes.get("url")
    url = given or config.database().database_owner_url
    if url is None:
        raise RuntimeError("LUNA_DATABASE_OWNER_URL is not set")
    return str(url)


_PARTITIONED = [
    table.name
    for table in Base.metadata.tables.values()
    if table.dialect_options["postgresql"]["partition_by"]
]


def _is_compared(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out partitions: the migrations and a periodic job make them."""
    partitions = tuple(f"{table}_" for table in _PARTITIONED)
    return kind != "table" or not (name or "").startswith(partitions)


def run() -> None:
    engine = create_engine(_url())
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '3s'"))
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_name=_is_compared,
            compare_type=True,
            compare_server_default=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
