"""Static checks of the Compose files and the Dockerfile."""

import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from backend.shared.infra.services import SERVICES
from tests.docker.files import (
    COMPOSE,
    DOCKERFILE,
    FOLDER,
    OVERLAY,
    ROOT,
    ROOT_COMPOSE,
    Service,
    mounted_files,
    named_volumes,
    read,
    services,
)

BASE = services(COMPOSE)
GENERATED = {"docs/openapi.json"}  # checked by `luna lint`
FULL_VERSION = re.compile(r":v?\d+\.\d+(\.\d+)?(-|@|$)")  # PostgreSQL has two numbers
BOTH = [(path, name) for path in (COMPOSE, OVERLAY) for name in services(path)]


def run(tool: str, *words: str) -> None:
    """Run a linter of this environment; fail with its output."""
    command = [str(Path(sys.executable).with_name(tool)), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (a linter)
    assert done.returncode == 0, done.stdout + done.stderr


def merged() -> dict[str, Service]:
    """Return the nine services and those that only the overlay has."""
    own = {name: body for name, body in services(OVERLAY).items() if name not in BASE}
    return BASE | own


@pytest.mark.parametrize(
    "path", [COMPOSE, OVERLAY, ROOT_COMPOSE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_compose_file_follows_the_schema(path: Path) -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(path))


def test_dockerfile_passes_its_linter() -> None:
    run("hadolint", "--failure-threshold", "style", str(DOCKERFILE))


def test_compose_file_in_the_root_includes_the_whole() -> None:
    found = read(ROOT_COMPOSE)
    assert found == {"name": read(COMPOSE)["name"], "include": ["backend/docker/compose.yaml"]}


def test_compose_has_nine_services() -> None:
    assert sorted(BASE) == [
        "auth-service",
        "book-service",
        "celery-worker",
        "delivery-service",
        "nginx",
        "notification-service",
        "postgres",
        "redis",
        "robot-service",
    ]


def test_nginx_cannot_reach_the_stores() -> None:
    networks = read(COMPOSE)["networks"]
    assert set(networks) == {"door", "store"}
    assert networks["store"] == {"internal": True}
    found = {name: service["networks"] for name, service in merged().items()}
    assert {name for name, own in found.items() if own == ["door"]} == {
        "nginx",
        "mail",
        "robot-1",
        "robot-2",
    }
    assert {name for name, own in found.items() if own == ["store"]} == {
        "postgres",
        "redis",
        "demo",
    }


def test_only_nginx_publishes_a_port_on_the_loopback_address() -> None:
    assert [name for name, service in BASE.items() if "ports" in service] == ["nginx"]
    assert [name for name, service in merged().items() if "ports" in service] == ["nginx", "mail"]
    for name in ("nginx", "mail"):
        [port] = merged()[name]["ports"]
        assert port.startswith("${LUNA_BIND:-127.0.0.1}:")


@pytest.mark.parametrize("name", merged())
def test_container_is_restricted(name: str) -> None:
    service = merged()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+m", service["mem_limit"])
    assert service["pids_limit"] <= 256
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    ours = service["image"].startswith("luna")
    assert ours or int(service["user"].split(":")[0]) > 0
    assert ours or FULL_VERSION.search(service["image"]), "an image without its full version"


def test_base_images_have_their_full_version() -> None:
    lines = DOCKERFILE.read_text(encoding="utf-8").splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM") and ":" in line]
    assert len(bases) == 4
    assert all(FULL_VERSION.search(base) for base in bases), bases


def test_image_runs_as_an_unprivileged_user() -> None:
    lines = DOCKERFILE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]


@pytest.mark.parametrize("name", BASE)
def test_service_has_a_health_check(name: str) -> None:
    assert BASE[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert BASE[name]["restart"] == "unless-stopped"


def test_dependencies_exist_and_wait_for_health() -> None:
    all_services = merged()
    for name, service in all_services.items():
        for other, how in service.get("depends_on", {}).items():
            ends = "restart" not in all_services[other]
            wanted = "service_completed_successfully" if ends else "service_healthy"
            assert how == {"condition": wanted}, f"{name} → {other}"
            assert ends or "healthcheck" in all_services[other]
    waits = {name: set(service.get("depends_on", {})) for name, service in all_services.items()}
    assert set(TopologicalSorter(waits).static_order()) == set(all_services)


def declared(kind: str) -> set[str]:
    return set(read(COMPOSE).get(kind, {})) | set(read(OVERLAY).get(kind, {}))


def test_volumes_are_declared_and_used() -> None:
    used = merged().values()
    assert set().union(*(named_volumes(service) for service in used)) == declared("volumes")


@pytest.mark.parametrize(
    ("volume", "readers"),
    [
        ("secrets-postgres", set()),
        ("secrets-owner", {"celery-worker", "demo"}),
        ("secrets-redis", {"redis"}),
        ("secrets-app", {"celery-worker", "demo", *(n for n in BASE if n.endswith("-service"))}),
        ("secrets-worker", {"celery-worker"}),
        ("secrets-operator", {"celery-worker", "demo"}),
        *((f"secrets-{service}", {f"{service}-service"}) for service in SERVICES),
    ],
)
def test_secrets_are_written_by_postgres_and_mounted_where_needed(
    volume: str, readers: set[str]
) -> None:
    mount = f"{volume}:/secrets/{volume.removeprefix('secrets-')}"
    mounts = {
        name: [each for each in service.get("volumes", []) if each.startswith(f"{volume}:")]
        for name, service in merged().items()
    }
    assert {name: each for name, each in mounts.items() if each} == {
        "postgres": [mount],
        **{name: [f"{mount}:ro"] for name in readers},
    }


def test_mounted_files_exist_and_are_read_only() -> None:
    for service in merged().values():
        for path in mounted_files(service):
            assert path.exists()
        for volume in service.get("volumes", []):
            assert not volume.startswith(".") or volume.endswith(":ro")


def test_postgres_and_redis_store_data_on_volumes() -> None:
    assert "postgres:/var/lib/postgresql/data" in BASE["postgres"]["volumes"]
    assert "redis:/data" in BASE["redis"]["volumes"]


def test_only_the_auth_service_mounts_the_private_key() -> None:
    mounting = [name for name, service in merged().items() if "private-key" in str(service)]
    assert mounting == ["auth-service"]
    writers = [n for n, s in merged().items() if "public-keys:/keys/public" in s.get("volumes", [])]
    assert writers == ["auth-service"]


def test_compose_files_contain_no_password() -> None:
    for path, name in BOTH:
        for key, value in services(path)[name].get("environment", {}).items():
            assert "PASSWORD" not in key or key.endswith("_FILE")
            assert not re.search(r"://[^/]*:[^/]*@", value)


def shipped() -> Iterator[Path]:
    """Yield the tracked Docker files, without byte code."""
    yield from (ROOT / ".dockerignore", ROOT_COMPOSE)
    yield from (
        path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


def test_docker_files_name_no_package_index() -> None:
    for path in shipped():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"index-url|pypi|registry", text, re.IGNORECASE), path


def test_image_is_built_from_listed_files_only() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert "*" in ignore
    allowed = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = [
        name
        for line in DOCKERFILE.read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY") and "--from" not in line
        for name in line.removesuffix("\\").split()[1 : None if line.endswith("\\") else -1]
    ]
    assert all((ROOT / name).exists() for name in copied if name not in GENERATED)
    assert {name for name in copied if name in allowed} == allowed
    assert all(name in allowed or name.split("/")[0] in allowed for name in copied)
