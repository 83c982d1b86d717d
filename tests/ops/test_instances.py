"""Several instances of a program natively, and which of them a restart replaces."""

import json
import os
from pathlib import Path

import pytest

from backend.shared.infra import config
from ops.home import Home
from ops.native import nginx_component, rolling_restart
from ops.native.component import Child, Component, ForkedProcess, State
from ops.native.topology import Native, Options
from ops.servers import environment, postgres


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Native:
    monkeypatch.setenv("LUNA_INSTANCES_BOOK", "3")
    monkeypatch.setenv("LUNA_INSTANCES_WORKER", "2")
    home = Home(tmp_path / "home")
    home.make()
    return Native(home, Options(str(home.path), 8080, "/usr/bin", "redis-server", "nginx"), 8080)


def test_each_instance_has_its_name_socket_and_metrics(native: Native) -> None:
    made = {component.name: component for component in native.components()}
    books = [made[f"book-service{number}"] for number in ("", "-2", "-3")]
    listening = {Path(each.environment["LUNA_LISTEN"]).name for each in books}
    assert listening == {"book.sock", "book-2.sock", "book-3.sock"}
    assert {each.name for each in books} <= made["nginx"].needs
    workers = [made["celery-worker"], made["celery-worker-2"]]
    for name in ("LUNA_METRICS_LISTEN", "LUNA_READY_FILE"):
        assert len({each.environment[name] for each in workers}) == 2
    assert "book-service-4" not in made


def test_gateway_balances_between_the_instances(
    native: Native, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}
    monkeypatch.setattr(
        nginx_component, "write_configuration", lambda _target, values: given.update(values)
    )
    next(each for each in native.components() if each.name == "nginx").prepare()
    sockets = [f"unix:{native.home.socket(name)}" for name in ("book", "book-2", "book-3")]
    assert given["LUNA_UPSTREAM_BOOK"] == " max_fails=0; server ".join(sockets)
    assert given["LUNA_UPSTREAM_AUTH"] == f"unix:{native.home.socket('auth')}"


def test_database_allows_the_connections_of_all_instances(
    native: Native, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = native.owner_environment
    for name in ("LUNA_SERVICE_INSTANCES", "LUNA_WORKER_INSTANCES", "LUNA_DATABASE_URL"):
        monkeypatch.setenv(name, own[name])
    monkeypatch.setattr(config, "database", config.DatabaseSettings)
    assert (own["LUNA_SERVICE_INSTANCES"], own["LUNA_WORKER_INSTANCES"]) == ("7", "2")
    one_more = environment.CONNECTIONS_OF_A_SERVICE  # a service that is being replaced
    assert config.connections_needed() + one_more <= environment.max_connections()
    assert environment.max_connections() > int(postgres.SETTINGS["max_connections"])


@pytest.mark.parametrize("value", ["0", "17", "two", "-1"])
def test_wrong_number_of_instances_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNA_INSTANCES_BOOK", value)
    with pytest.raises(ValueError, match=r"LUNA_INSTANCES_BOOK must be a number from 1 to 16"):
        environment.instance_count("book")


def test_service_name_stands_for_all_its_instances(tmp_path: Path) -> None:
    names = ["nginx", "book-service", "auth-service", "postgres", "celery-worker", "book-service-2"]
    rows = [{"name": name} for name in names]
    home = Home(tmp_path)
    home.state_file.write_text(json.dumps({"pid": os.getpid(), "services": rows}))
    assert rolling_restart.names_for(home, "book") == ["book-service", "book-service-2"]
    assert rolling_restart.names_for(home, "book-service-2") == ["book-service-2"]
    assert rolling_restart.names_for(home, "nginx") == ["nginx"]
    assert "nginx" not in rolling_restart.names_for(home, None)
    for refused in ("postgres", "books"):
        with pytest.raises(ValueError, match=refused):
            rolling_restart.names_for(home, refused)


def test_successor_is_ready_only_once_it_has_taken_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "book.sock"
    path.touch()
    child = Child(Component("book-service", list, endpoint=str(path), ready=lambda: True))
    child.enter(State.READY)
    child.process = None
    assert child.is_ready()
    child.retire()
    child.retiring = ForkedProcess(1)
    assert not child.is_ready()
    (tmp_path / "new").touch()
    (tmp_path / "new").rename(path)
    assert child.is_ready()
