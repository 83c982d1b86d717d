"""What all tests stand on: a real database from the real migrations, a real Redis, all services.

`./luna test` starts the servers and names them in the environment. Each run gets a database of
its own; each test finds it empty but for what the schema itself holds.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url

_ROLES = ("luna_owner", "luna_app")
_PASSWORD = "for-tests-only"
# The Celery app reads its broker's address as it is imported, before any fixture runs.
os.environ.setdefault("LUNA_REDIS_URL", os.environ.get("LUNA_TEST_REDIS_URL", "unix:///nowhere"))

# Empties every table that has rows and sets the counters back to where the schema began.
_EMPTY = """
DO $$
DECLARE
    candidate text;
    filled text[] := '{}';
    has_rows boolean;
BEGIN
    FOR candidate IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', candidate) INTO has_rows;
        IF has_rows THEN filled := filled || quote_ident(candidate); END IF;
    END LOOP;
    EXECUTE 'TRUNCATE ' || array_to_string(filled, ', ') || ' CASCADE';
    INSERT INTO fleet_state (id, stop_version, map_version) VALUES (1, 0, 0)
        ON CONFLICT DO NOTHING;
    INSERT INTO live_position (id, pos) VALUES (1, 0) ON CONFLICT DO NOTHING;
END $$;
"""


def _url(server: URL, database: str, role: str) -> str:
    url = server.set(database=database, username=role, password=_PASSWORD)
    return url.render_as_string(hide_password=False)


def _create_database(server: Engine, name: str) -> None:
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for role in _ROLES:
            known = connection.execute(
                text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
            ).one_or_none()
            verb = "ALTER" if known else "CREATE"
            connection.exec_driver_sql(f"{verb} ROLE {role} LOGIN PASSWORD '{_PASSWORD}'")
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER luna_owner")


def _needed(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run the tests with ./luna test", returncode=3)
    return value


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a LUNA process, pointing at a fresh, migrated database."""
    url = make_url(_needed("LUNA_TEST_DATABASE_URL"))
    redis_url = _needed("LUNA_TEST_REDIS_URL")
    server = create_engine(url)
    name = f"luna_test_{os.getpid()}"
    _create_database(server, name)
    inside = create_engine(url.set(database=name))
    with inside.begin() as connection:
        for extension in ("pg_trgm", "unaccent", "btree_gin"):
            connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    inside.dispose()
    folder = tmp_path_factory.mktemp("luna")
    environment = {
        "LUNA_ENVIRONMENT": "test",
        "LUNA_DATABASE_URL": _url(url, name, "luna_app"),
        "LUNA_DATABASE_OWNER_URL": _url(url, name, "luna_owner"),
        "LUNA_REDIS_URL": redis_url,
        "LUNA_CLOCK_FILE": str(folder / "clock"),
        "LUNA_USER_WRITES_PER_SECOND": "0",
        "LUNA_LOG_LEVEL": "WARNING",
        **_keys(folder),
    }
    os.environ.update(environment)
    from backend.shared.migrations import migrate

    migrate.main()
    yield environment
    _forget_connections()
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


def _keys(folder: Path) -> dict[str, str]:
    from backend.shared.web.security import jwks

    private = jwks.generate()
    (folder / "private.pem").write_text(private)
    (folder / "jwks.json").write_text(json.dumps({"keys": [jwks.public_jwk(private)]}))
    return {
        "LUNA_AUTH_PRIVATE_KEY_FILE": str(folder / "private.pem"),
        "LUNA_AUTH_PUBLIC_KEYS_FILE": str(folder / "jwks.json"),
    }


def _forget_connections() -> None:
    from backend.shared.infra import database, redis

    database.engine().dispose()
    redis.client().close()


@pytest.fixture(scope="session")
def owner(servers: dict[str, str]) -> Iterator[Engine]:
    """The database as its owner: for emptying it and for looking behind the services."""
    engine = create_engine(servers["LUNA_DATABASE_OWNER_URL"])
    yield engine
    engine.dispose()


@pytest.fixture
def clean(servers: dict[str, str], owner: Engine) -> Iterator[None]:
    """An empty database, an empty Redis, the clock at the present."""
    from backend.shared.domain import route_graph
    from backend.shared.infra import redis
    from backend.shared.web.security import authentication

    with owner.begin() as connection:
        connection.execute(text(_EMPTY))
    redis.client().flushdb()
    Path(servers["LUNA_CLOCK_FILE"]).unlink(missing_ok=True)
    authentication.invalidate_caches()
    route_graph.clear_cache()
    yield
    Path(servers["LUNA_CLOCK_FILE"]).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def _gateway(servers: dict[str, str]) -> Iterator[Any]:
    from starlette.testclient import TestClient

    from tests.gateway_app import make_gateway

    with TestClient(make_gateway(), raise_server_exceptions=True) as client:
        yield client


@pytest.fixture
def api(_gateway: Any, clean: None) -> Any:
    """A client of all services behind one address, over an empty database."""
    _gateway.cookies.clear()
    return _gateway
