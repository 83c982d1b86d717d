"""Migrate the schema to the newest revision: `python -m backend.shared.migrations.migrate`.

Then give the roles of the services their privileges.

Uses the owner's role. A database lock serializes concurrent runs; a repeated run changes nothing.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from backend.shared.infra import config
from backend.shared.migrations import grants

_LOCK = 7_305_461_001


def alembic_config(url: str) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.attributes["url"] = url
    return settings


def main() -> None:
    url = config.database().database_owner_url
    if url is None:
        raise SystemExit("LUNA_DATABASE_OWNER_URL is not set: migrations need the owner's role")
    settings = alembic_config(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        present = MigrationContext.configure(connection).get_current_revision()
        if present != ScriptDirectory.from_config(settings).get_current_head():
            connection.rollback()
            command.upgrade(settings, "head")
        connection.rollback()
        grants.apply(connection)
        connection.commit()
    engine.dispose()


if __name__ == "__main__":
    main()
