"""All pools together never ask PostgreSQL for more connections than it has."""

import re

from backend.shared import config
from ops.environment import SERVICES
from ops.postgres import SETTINGS
from ops.state import ROOT

RESERVED = 3  # PostgreSQL keeps them for its superuser

DATABASE = config.DatabaseSettings.model_fields
POOL = int(DATABASE["pool_size"].default)
FAST_POOL = int(DATABASE["fast_pool_size"].default)
WORKERS = int(config.OutboxSettings.model_fields["worker_concurrency"].default)


def _most() -> int:
    """Each service has both pools; the worker's parent and each of its processes have one."""
    return len(SERVICES) * (POOL + FAST_POOL) + (1 + WORKERS) * POOL


def test_the_pools_fit_into_the_database() -> None:
    assert _most() <= int(SETTINGS["max_connections"]) - RESERVED


def test_compose_gives_the_database_as_many() -> None:
    compose = (ROOT / "backend/docker/compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"max_connections=(\d+)", compose) == [SETTINGS["max_connections"]]


def test_the_documents_tell_the_same_sum() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert re.search(rf"\| together,.*\| {_most()} \|", page)
