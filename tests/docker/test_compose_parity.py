"""Compose and the native topology have the same services, commands and settings."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.shared.infra import config
from backend.shared.infra.services import SERVICES
from ops.home import Home
from ops.native import nginx_component
from ops.native.component import Component
from ops.native.topology import COMPONENTS, Native, Options
from ops.servers import database, database_roles, environment, nginx, postgres, redis_server
from tests.docker.files import COMPOSE, FOLDER, OVERLAY, services, variables

BASE = services(COMPOSE)
WORKER = "celery-worker"
PROGRAMS = [name for name in BASE if name.endswith("-service") or name == WORKER]

# Settings that only one side gives, and why.
ONLY_NATIVE = {
    "LUNA_MAIL_FOLDER": "mails as files; containers send them by SMTP (LUNA_SMTP_URL in .env)",
    "LUNA_SERVICE_INSTANCES": "counted natively; in .env beside --scale",
    "LUNA_WORKER_INSTANCES": "likewise",
    "LUNA_HOME": "the data folder; a container has none",
    "LUNA_PUSH_PRIVATE_KEY": "made by `luna up`; in Compose Web Push is off without one in .env",
    "LUNA_PUSH_PUBLIC_KEY": "likewise",
}
ONLY_COMPOSE = {
    "LUNA_ENVIRONMENT": "production by default; natively development",
}
WORKER_ONLY_NATIVE = {
    "LUNA_AUTH_PUBLIC_KEYS": "part of the common environment; the worker checks no token",
}
WORKER_ONLY_COMPOSE = {
    "LUNA_DATABASE_OWNER_URL": "for the migrations, likewise",
    "LUNA_MIGRATE": "natively a separate job migrates before the worker starts",
}


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Component]]:
    """The native components, with no setting from the environment or `.env`."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.make()
    options = Options(str(home.path), 8080, "/usr/bin", "redis-server", "nginx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "base", dict)
        yield {component.name: component for component in Native(home, options, 8080).components()}


def settings(variables_: dict[str, str]) -> set[str]:
    """Return the names of LUNA settings; NAME_FILE counts as NAME."""
    return {name.removesuffix("_FILE") for name in variables_ if name.startswith("LUNA_")}


def test_compose_and_native_have_the_same_services() -> None:
    assert set(BASE) == set(COMPONENTS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_has_the_same_command(name: str, native: dict[str, Component]) -> None:
    _python, *words = native[name].command()
    in_compose = shlex.split(" ".join(BASE[name]["command"]).rpartition("exec ")[2])
    assert in_compose == ["python", *words]


def test_keys_are_generated_by_the_same_command(native: dict[str, Component]) -> None:
    _python, *words = native["keys"].command()
    making = BASE["auth-service"]["command"][-1].partition("&&")[0].split()
    assert making[:3] == ["python", *words[:2]]
    options = [word for word in words if word.startswith("--")]
    assert [word for word in making if word.startswith("--")] == options


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_has_the_same_settings(name: str, native: dict[str, Component]) -> None:
    natively = settings(dict(native[name].environment))
    in_compose = settings(BASE[name]["environment"])
    only_native, only_compose = set(ONLY_NATIVE), set(ONLY_COMPOSE)
    if name == WORKER:
        only_native |= set(WORKER_ONLY_NATIVE)
        only_compose |= set(WORKER_ONLY_COMPOSE)
    assert natively - in_compose <= only_native
    assert in_compose - natively == only_compose


def test_compose_sets_only_known_settings() -> None:
    concerns = config.LunaSettings.__subclasses__()
    fields = [field.upper() for concern in concerns for field in concern.model_fields]
    known = settings({f"LUNA_{field}": "" for field in fields})
    for name in PROGRAMS:
        assert settings(BASE[name]["environment"]) <= known


@pytest.mark.parametrize("name", COMPONENTS)
def test_compose_waits_for_everything_that_native_waits_for(
    name: str, native: dict[str, Component]
) -> None:
    """What a component needs natively it depends on in Compose, directly or transitively."""
    equivalent = {"cluster": "postgres", "database": "postgres", "migrate": WORKER}
    equivalent |= {"keys": "auth-service", name: name}

    def waits_in_compose(one: str) -> set[str]:
        direct = set(BASE[one].get("depends_on", {}))
        return direct.union(*(waits_in_compose(other) for other in direct))

    # The fork server only makes native starts faster; push keys come from .env.
    needs = native[name].needs - {"fork-server", "push-keys"}
    wanted = {equivalent.get(need, need) for need in needs} - {name}
    if name == WORKER:
        wanted -= {"auth-service"}  # it checks no token
    assert wanted <= waits_in_compose(name)


def templates() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in nginx.TEMPLATES.glob("*.template")]


def test_gateway_template_gets_every_variable_on_both_sides(
    native: dict[str, Component], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = variables("".join(templates()))
    given: dict[str, str] = {}
    monkeypatch.setattr(
        nginx_component, "write_configuration", lambda _target, values: given.update(values)
    )
    native["nginx"].prepare()
    assert set(given) | set(nginx.DEFAULTS) == used
    assert settings(BASE["nginx"]["environment"]) == used


def test_envsubst_renders_the_same_configuration() -> None:
    """Envsubst replaces `$NAME` as well as `${NAME}`, and has no defaults."""
    program = shutil.which("envsubst")
    if program is None:
        pytest.skip("needs gettext's envsubst")
    template = "".join(templates())
    values = {name: f"<{name}>" for name in variables(template)}
    names = " ".join(f"${{{name}}}" for name in values)
    done = subprocess.run(  # noqa: S603 (a fixed program)
        [program, names], input=template, env=values, capture_output=True, text=True, check=True
    )
    assert done.stdout == nginx.render(template, values)


def test_gateway_has_the_same_defaults() -> None:
    in_compose = BASE["nginx"]["environment"]
    for name, value in nginx.DEFAULTS.items():
        assert in_compose[name] == f"${{{name}:-{value}}}"


def test_gateway_runs_in_utc_on_both_sides(native: dict[str, Component]) -> None:
    assert native["nginx"].environment["TZ"] == BASE["nginx"]["environment"]["TZ"] == "UTC"


def test_services_listen_where_the_gateway_connects() -> None:
    upstreams = BASE["nginx"]["environment"]
    for name in SERVICES:
        assert upstreams[f"LUNA_UPSTREAM_{name.upper()}"] == f"{name}-service:8000 resolve"
        assert BASE[f"{name}-service"]["environment"]["LUNA_LISTEN"] == "0.0.0.0:8000"


def test_postgres_has_the_same_settings() -> None:
    words = BASE["postgres"]["command"]
    chosen = dict(word.split("=", 1) for word in words if "=" in word)
    assert chosen == {name: postgres.SETTINGS[name] for name in chosen}
    assert {"max_connections", "timezone", "jit"} <= set(chosen)


def test_database_is_created_by_the_same_steps() -> None:
    making = postgres.Cluster(FOLDER, FOLDER, FOLDER).make_command(FOLDER)
    for word in BASE["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split():
        assert word in " ".join(making)
    script = (FOLDER / "postgres" / "10-luna.sh").read_text(encoding="utf-8")
    assert f"for role in {' '.join(database_roles.ROLES)}; do" in script
    assert f"GRANT {', '.join(database_roles.OF_PROGRAMS)} TO luna_operator;" in script
    assert f"CREATE DATABASE {database_roles.DATABASE} OWNER {database_roles.OWNER}'" in script
    extensions = re.findall(r"^CREATE EXTENSION IF NOT EXISTS (\w+);$", script, re.MULTILINE)
    assert extensions == list(database.EXTENSIONS)


def test_redis_has_the_same_settings() -> None:
    own = {"--port", "0", "--unixsocket", "--unixsocketperm", "700", "--daemonize", "no"}
    natively = redis_server.start_command(FOLDER, FOLDER, FOLDER, "secret")[1:]
    natively = natively[natively.index("--dir") :]  # users are tested below
    expected = [word for word in natively if word not in own | {str(FOLDER)}]
    command = BASE["redis"]["command"]
    assert command[1:3] == ["--aclfile", "/secrets/redis/redis_users"]
    assert [word for word in command[3:] if word != "/data"] == expected


def test_redis_has_the_same_user(tmp_path: Path) -> None:
    subprocess.run([FOLDER / "make-secrets", tmp_path], check=True)  # noqa: S603 (a script of this project)
    password = (tmp_path / "redis" / "redis_password").read_text(encoding="ascii")
    rules = " ".join(redis_server.user_rules(password))
    users = (tmp_path / "redis" / "redis_users").read_text(encoding="ascii")
    assert users.splitlines() == ["user default off", f"user {rules}"]
    url = f"redis://{redis_server.USER}:{password}@redis:6379/0"
    assert (tmp_path / "app" / "redis_url").read_text(encoding="ascii") == url


def test_overlay_runs_the_same_robots(native: dict[str, Component]) -> None:
    overlay = services(OVERLAY)
    assert {name for name in native if name.startswith("robot-") and name not in BASE} == {
        name for name in overlay if name.startswith("robot-") and name not in BASE
    }
    _python, *words = native["demo"].command()
    assert overlay["demo"]["command"][:5] == ["python", *words[:4]]
