"""Read the files of backend/docker."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "backend" / "docker"
COMPOSE = FOLDER / "compose.yaml"
ROOT_COMPOSE = ROOT / "compose.yaml"
OVERLAY = FOLDER / "compose.overlay.yaml"
DOCKERFILE = FOLDER / "Dockerfile"

Service = dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def services(path: Path) -> dict[str, Service]:
    found: dict[str, Service] = read(path)["services"]
    return found


def named_volumes(service: Service) -> set[str]:
    """Return the named volumes that a service mounts."""
    sources = {volume.split(":")[0] for volume in service.get("volumes", [])}
    return {source for source in sources if not source.startswith((".", "/"))}


def mounted_files(service: Service) -> set[Path]:
    sources = {volume.split(":")[0] for volume in service.get("volumes", [])}
    return {(FOLDER / source).resolve() for source in sources if source.startswith(".")}


def variables(text: str) -> set[str]:
    """Return the LUNA variables of a text, ${NAME} with or without a default."""
    return set(re.findall(r"\$\{(LUNA_[A-Z_]+)[:}]", text))
