"""Settings as the project's sources name them: DB_HOST … and GRPC_PORT."""

import pytest

from backend.shared.infra import config

_NAMES = {
    "DB_HOST": "db.internal",
    "DB_PORT": "5433",
    "DB_NAME": "library",
    "DB_USER": "app",
    "DB_PASSWORD": "p@ss/word",
}
pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _without_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LUNA_DATABASE_URL", "LUNA_DATABASE_URL_FILE", "LUNA_GRPC_LISTEN"):
        monkeypatch.delenv(name, raising=False)


def test_names_of_the_sources_make_the_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _NAMES.items():
        monkeypatch.setenv(name, value)
    expected = "postgresql+psycopg2://app:p%40ss%2Fword@db.internal:5433/library"
    assert config.DatabaseSettings().database_url == expected
    monkeypatch.setenv("LUNA_DATABASE_URL", "postgresql+psycopg2:///own")
    assert config.DatabaseSettings().database_url == "postgresql+psycopg2:///own"


def test_host_alone_takes_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_HOST", "db")
    assert config.DatabaseSettings().database_url == "postgresql+psycopg2://luna@db:5432/luna"


def test_grpc_port_makes_the_address_of_native_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.RpcSettings().grpc_listen is None
    monkeypatch.setenv("GRPC_PORT", "50051")
    assert config.RpcSettings().grpc_listen == "0.0.0.0:50051"
    monkeypatch.setenv("LUNA_GRPC_LISTEN", "unix:/run/grpc.sock")
    assert config.RpcSettings().grpc_listen == "unix:/run/grpc.sock"
