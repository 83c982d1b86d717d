"""Fixtures of all tests: a database made by the migrations, a Redis, and all five services.

`./luna test` starts the servers and passes their addresses in the environment. Each pytest worker
has its own database and its own Redis; each test starts with them empty.
"""

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url

from backend.shared.infra.services import OPERATOR_ROLE
from ops import pytest_forks
from ops.servers import database_roles
from tests import emptying, gateway_app

# A busy machine is no failure: examples may take as long as they do.
settings.register_profile("luna", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("luna")

_PASSWORD = "for-tests-only"


def worker_number() -> int:
    """Number the pytest workers from 0; what is read at import, before they are forked, is not."""
    return int(os.environ.get(pytest_forks.NUMBER, "0"))


def redis_url() -> str:
    """The Redis of this pytest worker."""
    urls = os.environ.get("LUNA_TEST_REDIS_URLS", "unix:///nowhere").split()
    return urls[worker_number()]


# The Celery app reads its broker's address at import, before any fixture runs.
os.environ.setdefault("LUNA_REDIS_URL", redis_url())


def _url(server: URL, database: str, role: str) -> str:
    url = server.set(database=database, username=role, password=_PASSWORD)
    return url.render_as_string(hide_password=False)


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run the tests with ./luna test", returncode=3)
    return value


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.getoption("forks", 1) > 1:
        from ops.docs import openapi

        openapi.document()  # the services and their schemas, made once for all forks
    _search_garbage_rarely()


def _search_garbage_rarely() -> None:
    """Leave out of each search what lives as long as the process, as the services do."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Create and migrate a database; yields the environment of a LUNA process that uses it."""
    url = make_url(_required("LUNA_TEST_DATABASE_URL"))
    _required("LUNA_TEST_REDIS_URLS")
    folder = tmp_path_factory.mktemp("luna")
    name = f"luna_test_{os.getpid()}"
    environment = {
        "LUNA_ENVIRONMENT": "test",
        "LUNA_DATABASE_URL": _url(url, name, OPERATOR_ROLE),
        "LUNA_DATABASE_OWNER_URL": _url(url, name, "luna_owner"),
        "LUNA_REDIS_URL": redis_url(),
        "LUNA_CLOCK_FILE": str(folder / "clock"),
        "LUNA_USER_WRITES_PER_SECOND": "0",
        "LUNA_LOG_LEVEL": "WARNING",
        **_keys(folder),
    }
    os.environ.update(environment)
    from backend.shared.infra import config
    from backend.shared.messaging import broker, celery_app
    from backend.shared.migrations import migrate
    from tests import databases, secrets_in_logs, service_roles

    service_roles.install()
    _hash_passwords_fast()

    for reader in vars(config).values():
        if hasattr(reader, "cache_clear"):  # an earlier unit test may have read the settings
            reader.cache_clear()
    celery_app.celery.conf.update(broker_url=broker.url(redis_url()))
    server = create_engine(url)
    owner = make_url(environment["LUNA_DATABASE_OWNER_URL"])
    databases.prepare(server, owner, dict.fromkeys(database_roles.ROLES, _PASSWORD))
    with databases.copied(server, name):
        migrate.main()  # the privileges of the roles
        with secrets_in_logs.searched_log(folder / "log"):
            yield environment
            _close_connections()
    server.dispose()


def _hash_passwords_fast() -> None:
    """Take the memory from the hash, which makes it slow by design: 32 ms of a processor each."""
    from backend.shared.web.security import passwords

    passwords._passwords.update(argon2__memory_cost=64)  # noqa: SLF001 (no setting: it may not be weakened)


def _keys(folder: Path) -> dict[str, str]:
    from backend.shared.web.security import jwks

    private = jwks.generate()
    (folder / "private.pem").write_text(private)
    (folder / "jwks.json").write_text(json.dumps({"keys": [jwks.public_jwk(private)]}))
    return {
        "LUNA_AUTH_PRIVATE_KEY_FILE": str(folder / "private.pem"),
        "LUNA_AUTH_PUBLIC_KEYS_FILE": str(folder / "jwks.json"),
    }


def _close_connections() -> None:
    from backend.shared.infra import database as connections
    from backend.shared.infra import redis

    connections.engine().dispose()
    redis.client().close()


@pytest.fixture(scope="session")
def owner(servers: dict[str, str]) -> Iterator[Engine]:
    """An engine with the owner's role, which reads and changes what no route shows."""
    engine = create_engine(servers["LUNA_DATABASE_OWNER_URL"])
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def superuser(servers: dict[str, str]) -> Iterator[Engine]:
    """An engine with the superuser's role, which may switch triggers off."""
    name = make_url(servers["LUNA_DATABASE_URL"]).database
    engine = create_engine(make_url(_required("LUNA_TEST_DATABASE_URL")).set(database=name))
    yield engine
    emptying.close(engine)
    engine.dispose()


@pytest.fixture
def clean(servers: dict[str, str], superuser: Engine) -> Iterator[None]:
    """Empty the database and Redis, and set the clock to the present."""
    with _emptied(servers, superuser):
        yield


@contextmanager
def _emptied(servers: dict[str, str], superuser: Engine) -> Iterator[None]:
    """Empty the database and Redis, and set the clock to the present.

    The services of this process, where it runs them, keep nothing of an earlier test: not what a
    stop left to do, not heartbeats that are still to be written, not a read under way.
    """
    from backend.robot.bridge_protocol import due_writes, live_copies, stop_orders
    from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
    from backend.shared.domain import route_graph
    from backend.shared.domain.eta import trip_times
    from backend.shared.infra import redis
    from backend.shared.web.security import authentication

    Path(servers["LUNA_CLOCK_FILE"]).unlink(missing_ok=True)
    gateway_app.run_in_robot_service(stop_orders.finish)
    gateway_app.run_in_robot_service(due_writes.write_batch)
    live_copies._pending.clear()  # noqa: SLF001 (what it writes, nothing else)
    emptying.empty(superuser)
    redis.client().flushdb()
    authentication.invalidate_caches()
    route_graph.clear_cache()
    trip_times.clear_cache()
    gateway_app.run_in_robot_service(SNAPSHOT.finish)  # a read that began earlier
    SNAPSHOT.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis, "_down_until", 0.0)  # an earlier test may have refused connections
        yield
    Path(servers["LUNA_CLOCK_FILE"]).unlink(missing_ok=True)


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock of this process move only when a test moves it, however slow the machine is."""
    from backend.shared.infra import clock

    moment = datetime.now(UTC)
    monkeypatch.setattr(clock, "datetime", SimpleNamespace(now=lambda _zone: moment))


@pytest.fixture(scope="session")
def _gateway(servers: dict[str, str]) -> Iterator[Any]:
    from tests.asgi_client import ApiClient

    with ApiClient(gateway_app.make_gateway()) as client:
        _search_garbage_rarely()
        gateway_app.clients.append(client)
        yield client
        gateway_app.clients.clear()


@pytest.fixture
def api(_gateway: Any, clean: None) -> Iterator[Any]:
    """Yield a client of all services behind one address, on an empty database."""
    with _refusing_at_once():
        yield _gateway


@pytest.fixture(scope="module")
def module_api(_gateway: Any, servers: dict[str, str], superuser: Engine) -> Iterator[Any]:
    """Yield the same for a whole module, of which no test may use `clean`, and most only read."""
    with _emptied(servers, superuser), _refusing_at_once():
        yield _gateway


@contextmanager
def _refusing_at_once() -> Iterator[None]:
    from backend.shared.web.security import rate_limits
    from backend.shared.web.security.rate_limits import RefusalQueue

    for client in gateway_app.clients:
        client.cookies.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "REFUSALS", RefusalQueue(1, 1, longest=0))
        yield
