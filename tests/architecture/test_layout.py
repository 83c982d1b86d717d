"""The floor plan: where routers live, the shape of a service, names that no longer exist."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from backend.shared.infra.services import SERVICES
from ops.home import ROOT
from tests.architecture import source_files
from tests.architecture.source_files import name_of

MAX_FILES_IN_FOLDER = 16
# What a service may consist of; each name is a module, or a package once the module is too long.
REQUIRED_PARTS = {"main", "endpoints", "schemas", "service", "queries"}
SERVICE_PARTS = REQUIRED_PARTS | {"dependencies", "tasks", "rpc"}
PACKAGES = {"endpoints", "schemas", "service"}
# Packages of machines that a service has besides, under the rules of `service`.
MACHINES = {"book": {"imports", "search"}, "notification": {"live"}, "robot": {"bridge_protocol"}}
# The router factory, the operational routes that every service has, and what mounts them.
ROUTER_MODULES = {f"backend/shared/web/{name}.py" for name in ("routing", "health", "app")}
_ROUTER = re.compile(r"(^|\.)(APIRouter|Router|router|Route|WebSocketRoute|Mount)$")
_ADD_ROUTE = re.compile(r"\.(add_\w*route|(api_|websocket_)?route)$")
_DECORATOR = re.compile(r"\.(get|post|put|patch|delete|options|head|websocket|\w*route)$")


def _declares_route(path: Path) -> bool:
    """Tell whether a module creates a router or adds a route to one."""
    for node in ast.walk(source_files.parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [each for each in node.decorator_list if isinstance(each, ast.Call)]
            if any(_DECORATOR.search(ast.unparse(call.func)) for call in calls):
                return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            starts_with_path = bool(node.args) and _is_path(node.args[0])
            if _ROUTER.search(name) or (_ADD_ROUTE.search(name) and starts_with_path):
                return True
    return False


def _is_path(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).startswith("/")


def test_routers_exist_only_in_endpoints() -> None:
    found = {name_of(path) for path in source_files.python("backend") if _declares_route(path)}
    inside = {name for name in found if re.match(r"backend/\w+/endpoints/", name)}
    assert found - inside == ROUTER_MODULES
    assert {name.split("/")[1] for name in inside} == set(SERVICES)


def _parts(service: str) -> dict[str, Path]:
    """Return the entries of a service's folder by stem."""
    folder = ROOT / "backend" / service
    inside = [path.relative_to(folder) for path in source_files.tracked() if folder in path.parents]
    names = {path.parts[0] for path in inside} - {"__init__.py"}
    return {name.removesuffix(".py"): folder / name for name in names}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_shape(service: str) -> None:
    parts = _parts(service)
    assert parts.keys() - SERVICE_PARTS - MACHINES.get(service, set()) == set()
    assert REQUIRED_PARTS - parts.keys() == set()
    packages = {name for name, path in parts.items() if path.is_dir()}
    assert PACKAGES | MACHINES.get(service, set()) <= packages


@pytest.mark.parametrize("service", SERVICES)
def test_main_contains_only_the_application(service: str) -> None:
    module = source_files.parsed(ROOT / "backend" / service / "main.py")
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    assert [node.lineno for node in ast.walk(module) if isinstance(node, kinds)] == []


def test_no_folder_has_more_than_16_python_files() -> None:
    files = Counter(name_of(path.parent) for path in source_files.python())
    del files["backend/shared/migrations/versions"]  # one sequence, which is only added to
    assert {folder: n for folder, n in files.items() if n > MAX_FILES_IN_FOLDER} == {}


# --- names of the first release that were replaced ----------------------------------------------


OLD_NAMES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "old_names.json").read_text(encoding="utf-8")
)


def _definitions(path: Path) -> Iterator[str]:
    """Name every class and function, and every variable at module or class level."""
    for node in ast.walk(source_files.parsed(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.Module | ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign | ast.AnnAssign):
                    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
                    yield from (target.id for target in targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("path", OLD_NAMES["paths"])
def test_replaced_path_does_not_exist(path: str) -> None:
    names = map(name_of, source_files.tracked())
    assert [name for name in names if f"{name}/".startswith(f"{path}/")] == []


@pytest.mark.parametrize("folder", OLD_NAMES["definitions"])
def test_replaced_class_or_function_does_not_exist(folder: str) -> None:
    old = OLD_NAMES["definitions"][folder]
    found = {
        f"{name_of(path)}: {name}"
        for path in source_files.python(folder)
        for name in _definitions(path)
        if any(fnmatchcase(name, pattern) for pattern in old)
    }
    assert found == set()
