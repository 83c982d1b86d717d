"""All connection pools together stay below PostgreSQL's max_connections."""

import re

import pytest

from backend.shared.infra import config
from backend.shared.infra.services import SERVICES
from ops.home import ROOT
from ops.servers.postgres import SETTINGS

RESERVED = 3  # superuser_reserved_connections


def _most() -> int:
    """Each service has all four pools, the robot service one for stops.

    The worker's parent and each of its processes have one.
    """
    database, outbox = config.DatabaseSettings.model_fields, config.OutboxSettings.model_fields
    pool, fast, hot = (int(database[f"{name}pool_size"].default) for name in ("", "fast_", "hot_"))
    workers = int(outbox["worker_concurrency"].default)
    workers_pools = (2 + workers) * pool  # one of them for imports
    return len(SERVICES) * (pool + fast + 2 * hot) + config.STOP_CONNECTIONS + workers_pools


def test_startup_check_counts_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        config, "database", lambda: config.DatabaseSettings(database_url="postgresql+psycopg2://")
    )
    monkeypatch.setattr(config, "outbox", config.OutboxSettings)
    assert config.connections_needed() == _most()


def test_the_pools_fit_into_the_database() -> None:
    assert _most() <= int(SETTINGS["max_connections"]) - RESERVED


def test_compose_sets_the_same_max_connections() -> None:
    compose = (ROOT / "backend/docker/compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"max_connections=(\d+)", compose) == [SETTINGS["max_connections"]]


def test_documents_state_the_same_sum() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert re.search(rf"\| together,.*\| {_most()} \|", page)
