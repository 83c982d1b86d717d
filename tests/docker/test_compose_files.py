"""What can be said about the Compose files without an engine."""

import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.docker.files import (
    COMPOSE,
    DOCKERFILE,
    FOLDER,
    OVERLAY,
    ROOT,
    Service,
    mounted_files,
    named_volumes,
    read,
    services,
)

BASE = services(COMPOSE)
GENERATED = {"docs/openapi.json"}  # made from the services; its freshness is checked with them
BOTH = [(path, name) for path in (COMPOSE, OVERLAY) for name in services(path)]


def run(tool: str, *words: str) -> None:
    """One of the linters of this environment; what it complains of fails the test."""
    command = [str(Path(sys.executable).with_name(tool)), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    assert done.returncode == 0, done.stdout + done.stderr


def merged() -> dict[str, Service]:
    """The overlay's services beside the nine; it adds settings to some of these."""
    own = {name: body for name, body in services(OVERLAY).items() if name not in BASE}
    return BASE | own


@pytest.mark.parametrize("path", [COMPOSE, OVERLAY], ids=lambda path: path.name)
def test_a_compose_file_follows_the_schema(path: Path) -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(path))


def test_the_dockerfile_passes_its_linter() -> None:
    run("hadolint", "--failure-threshold", "style", str(DOCKERFILE))


def test_there_are_exactly_nine_services_on_one_network() -> None:
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
    assert list(read(COMPOSE)["networks"]) == ["luna"]
    assert all(service["networks"] == ["luna"] for service in merged().values())


def test_only_nginx_publishes_a_port_and_only_to_this_machine() -> None:
    assert [name for name, service in BASE.items() if "ports" in service] == ["nginx"]
    assert [name for name, service in merged().items() if "ports" in service] == ["nginx", "mail"]
    for name in ("nginx", "mail"):
        [port] = merged()[name]["ports"]
        assert port.startswith("${LUNA_BIND:-127.0.0.1}:")


@pytest.mark.parametrize("name", merged())
def test_every_container_is_fenced_in(name: str) -> None:
    service = merged()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+m", service["mem_limit"])
    assert service["pids_limit"] <= 256
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & set(service)
    ours = service["image"].startswith("luna:")
    assert ours or int(service["user"].split(":")[0]) > 0
    assert ours or re.search(r":v?\d+\.?\d*", service["image"]), "an image without a version"


def test_our_own_image_is_not_roots() -> None:
    lines = DOCKERFILE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]


@pytest.mark.parametrize("name", BASE)
def test_every_service_tells_whether_it_is_healthy(name: str) -> None:
    assert BASE[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert BASE[name]["restart"] == "unless-stopped"


def test_who_waits_waits_for_health_and_for_somebody_who_exists() -> None:
    everyone = merged()
    for name, service in everyone.items():
        for other, how in service.get("depends_on", {}).items():
            ends = "restart" not in everyone[other]
            wanted = "service_completed_successfully" if ends else "service_healthy"
            assert how == {"condition": wanted}, f"{name} → {other}"
            assert ends or "healthcheck" in everyone[other]
    waits = {name: set(service.get("depends_on", {})) for name, service in everyone.items()}
    assert set(TopologicalSorter(waits).static_order()) == set(everyone)


def declared(kind: str) -> set[str]:
    return set(read(COMPOSE).get(kind, {})) | set(read(OVERLAY).get(kind, {}))


def test_every_volume_and_secret_is_declared_and_used() -> None:
    used = merged().values()
    assert set().union(*(named_volumes(service) for service in used)) == declared("volumes")
    assert {s for service in used for s in service.get("secrets", [])} == declared("secrets")


def test_every_mounted_file_is_there_and_read_only() -> None:
    for service in merged().values():
        for path in mounted_files(service):
            assert path.exists()
        for volume in service.get("volumes", []):
            assert not volume.startswith(".") or volume.endswith(":ro")


def test_the_database_and_redis_keep_what_they_hold() -> None:
    assert "postgres:/var/lib/postgresql/data" in BASE["postgres"]["volumes"]
    assert "redis:/data" in BASE["redis"]["volumes"]


def test_only_the_auth_service_can_reach_the_private_key() -> None:
    holders = [name for name, service in merged().items() if "private-key" in str(service)]
    assert holders == ["auth-service"]
    writers = [n for n, s in merged().items() if "public-keys:/keys/public" in s.get("volumes", [])]
    assert writers == ["auth-service"]


def test_no_password_stands_in_a_file() -> None:
    for path, name in BOTH:
        for key, value in services(path)[name].get("environment", {}).items():
            assert "PASSWORD" not in key or key.endswith("_FILE")
            assert not re.search(r"://[^/]*:[^/]*@", value)


def shipped() -> Iterator[Path]:
    """The files that travel; not secrets made here, nor what Python compiled beside them."""
    yield ROOT / ".dockerignore"
    made_here = {"secrets", "__pycache__"}
    yield from (
        path
        for path in FOLDER.rglob("*")
        if path.is_file() and not made_here.intersection(path.parts)
    )


def test_no_package_index_is_named() -> None:
    """Whoever builds the image uses their own."""
    for path in shipped():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"index-url|pypi|registry", text, re.IGNORECASE), path


def test_the_image_is_built_from_what_is_listed_and_nothing_else() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert "*" in ignore
    allowed = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copied = [
        name
        for line in DOCKERFILE.read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY") and "--from" not in line
        for name in line.split()[1:-1]
    ]
    assert all((ROOT / name).exists() for name in copied if name not in GENERATED)
    assert {name for name in copied if name in allowed} == allowed
    assert all(name in allowed or name.split("/")[0] in allowed for name in copied)
