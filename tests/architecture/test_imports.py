"""Direct imports inside `backend.shared` that the import contracts can't express."""

import ast
from pathlib import Path

import pytest

from tests.architecture import source_files

SHARED = "backend.shared"
DOMAIN_MAY_IMPORT = ("domain", "models", "events", "errors", "infra")
DOMAIN_MAY_USE = frozenset({"messaging.outbox", "messaging.channels"})


def _imported(path: Path) -> set[str]:
    """The modules of `backend` that a file imports: `from a import b` counts as `a.b`."""
    found: set[str] = set()
    for node in ast.walk(source_files.parsed(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in found if name.startswith("backend.")}


def _is_below(name: str, *modules: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _forbidden_in_domain(name: str) -> bool:
    inside = name.removeprefix(f"{SHARED}.")
    if _is_below(inside, *DOMAIN_MAY_USE):
        return False
    return not _is_below(inside, *DOMAIN_MAY_IMPORT) or _is_below(inside, "infra.redis")


def _forbidden_in_infra(name: str) -> bool:
    return not _is_below(name, f"{SHARED}.infra", f"{SHARED}.errors")


def test_domain_imports_only_models_events_errors_infra_outbox_and_channels() -> None:
    violations = {
        f"{source_files.name_of(path)}: {name}"
        for path in source_files.python("backend/shared/domain")
        for name in _imported(path)
        if _forbidden_in_domain(name)
    }
    assert violations == set()


def test_infra_imports_only_infra_and_errors() -> None:
    violations = {
        f"{source_files.name_of(path)}: {name}"
        for path in source_files.python("backend/shared/infra")
        for name in _imported(path)
        if _forbidden_in_infra(name)
    }
    assert violations == set()


@pytest.mark.parametrize(
    "name",
    [
        "backend.shared.infra.redis",
        "backend.shared.infra.redis.client",
        "backend.shared.messaging.realtime",
        "backend.shared.messaging.relay.Relay",
        "backend.shared.web.schemas",
        "backend.robot.queries",
    ],
)
def test_rule_of_domain_rejects_import(name: str) -> None:
    assert _forbidden_in_domain(name)
