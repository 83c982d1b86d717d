"""Every package that is imported is declared in pyproject.toml."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from ops.home import ROOT
from tests.architecture import source_files

OWN = {"backend", "bridge", "ops", "tests"}
TEST_CODE = ("tests/", "bridge/tests/", "ops/pytest_")


def _declared() -> tuple[set[str], set[str]]:
    """The distributions declared for running, and those for developing as well."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = document["project"].get("optional-dependencies", {}).values()
    running = document["project"]["dependencies"] + [each for extra in extras for each in extra]
    developing = [each for each in document["dependency-groups"]["dev"] if isinstance(each, str)]
    return _names(running), _names(running + developing)


def _names(requirements: list[str]) -> set[str]:
    return {_normalized(re.split(r"[\[<>=~!; ]", each)[0]) for each in requirements}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(path: Path) -> Iterator[str]:
    """The top-level packages of others that a file imports."""
    for node in ast.walk(source_files.parsed(path)):
        match node:
            case ast.Import(names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module)):
                found = [module]
            case _:
                continue
        yield from {name.partition(".")[0] for name in found} - OWN - sys.stdlib_module_names


def test_every_imported_package_is_declared() -> None:
    running, developing = _declared()
    distributions = packages_distributions()
    undeclared = {
        f"{source_files.name_of(path)}: {package}"
        for path in source_files.python()
        for package in _imported(path)
        for allowed in [developing if source_files.name_of(path).startswith(TEST_CODE) else running]
        if not allowed & {_normalized(each) for each in distributions.get(package, [package])}
    }
    assert undeclared == set()
