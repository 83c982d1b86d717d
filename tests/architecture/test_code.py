"""Rules about code that no existing linter checks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import source_files

MIGRATIONS = "backend/shared/migrations/"


def _places(found: Iterator[tuple[Path, int]], *allowed: str) -> list[str]:
    return [
        f"{source_files.name_of(path)}:{line}"
        for path, line in found
        if not source_files.name_of(path).startswith(allowed)
    ]


def _calls(ending: str, *folders: str) -> Iterator[tuple[Path, int]]:
    for path in source_files.python(*folders):
        for name, line in source_files.calls(path):
            if f".{name}".endswith(f".{ending}"):
                yield path, line


def test_only_transaction_owners_commit() -> None:
    owners = (
        "backend/shared/infra/database.py",
        "backend/shared/infra/hot_transactions.py",
        "backend/shared/messaging/celery_app.py",
        "backend/shared/messaging/relay.py",
    )
    migrating = (MIGRATIONS, "backend/shared/migrations/migrate.py")
    assert _places(_calls("commit", "backend"), *owners, *migrating) == []


@pytest.mark.parametrize("call", ["delay", "apply_async", "send_task"])
def test_only_the_relay_sends_to_the_queue(call: str) -> None:
    assert _places(_calls(call, "backend"), "backend/shared/messaging/relay.py") == []


def test_the_relay_sends_to_the_queue_in_one_place() -> None:
    assert len(list(_calls("send_task", "backend"))) == 1


def test_only_one_module_uses_the_jwt_library() -> None:
    found = (
        (path, line)
        for path in source_files.python("backend")
        for name, line in source_files.attributes(path)
        if name.startswith("jwt.")
    )
    campus = "backend/auth/service/oidc/provider.py"  # verifies tokens of another issuer
    assert _places(found, "backend/shared/web/security/signing.py", campus) == []


def test_access_to_rows_of_members_is_checked_in_one_place() -> None:
    """Routes use its dependency (shared/web/security/access), rules its functions."""
    found = (
        (path, line)
        for path in source_files.python("backend")
        for name, line in source_files.attributes(path)
        if name.endswith((".is_staff", "actor.role"))
    )
    one_place = ("backend/shared/domain/access.py", "backend/shared/web/security/")
    live_view = "backend/notification/live/"  # its users are not actors: it has no request
    assert _places(found, *one_place, live_view) == []


def test_backend_raises_no_http_exception() -> None:
    framework = "HTTP" + "Exception"
    for path in source_files.python("backend"):
        raised = [
            ast.unparse(node.exc)
            for node in ast.walk(source_files.parsed(path))
            if isinstance(node, ast.Raise) and node.exc is not None
        ]
        assert not any(framework in text for text in raised), source_files.name_of(path)
        imported = [
            alias.name
            for node in ast.walk(source_files.parsed(path))
            if isinstance(node, ast.ImportFrom) and node.module == "fastapi"
            for alias in node.names
        ]
        assert framework not in imported, source_files.name_of(path)


def test_backend_never_prints() -> None:
    assert _places(_calls("print", "backend")) == []


def test_no_file_contains_an_unfinished_mark() -> None:
    marks = re.compile(
        "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "Not" + "ImplementedError"])
    )
    found = {
        source_files.name_of(path)
        for path in source_files.tracked()
        if path.suffix not in source_files.DATA
        if marks.search(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_tests_sleep_only_in_a_loop_on_a_condition() -> None:
    """A sleep is allowed only in a loop that checks a condition again."""
    for path in source_files.python("tests", "bridge/tests"):
        looping = {
            id(inner)
            for loop in ast.walk(source_files.parsed(path))
            if isinstance(loop, ast.While)
            for inner in ast.walk(loop)
        }
        for node in ast.walk(source_files.parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep"):
                assert id(node) in looping, f"{source_files.name_of(path)}:{node.lineno}"


def test_skipped_test_gives_a_reason() -> None:
    silent = []
    for path in source_files.python("tests", "bridge/tests"):
        for node in ast.walk(source_files.parsed(path)):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            reason = node.args or any(word.arg == "reason" for word in node.keywords)
            if name in {"pytest.skip", "pytest.mark.skip", "pytest.mark.xfail"} and not reason:
                silent.append(f"{source_files.name_of(path)}:{node.lineno}")
            if name == "pytest.mark.skipif" and len(node.args) + len(node.keywords) < 2:
                silent.append(f"{source_files.name_of(path)}:{node.lineno}")
    bare = [
        f"{source_files.name_of(path)}:{line}"
        for path in source_files.python("tests", "bridge/tests")
        for name, line in _decorators(path)
        if name in {"pytest.mark.skip", "pytest.mark.xfail"}
    ]
    assert silent + bare == []


def _decorators(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(source_files.parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield ast.unparse(decorator), decorator.lineno


def test_closed_statuses_are_written_once() -> None:
    """Requests, returns and tasks end in the same two, which models/delivery.py lists."""
    both = re.compile(r"""COMPLETED['"]?, ['"]?(\w+\.)?CANCELLED""")
    places = {
        source_files.name_of(path)
        for path in source_files.python("backend")
        if both.search(path.read_text(encoding="utf-8"))
    }
    written = {place for place in places if not place.startswith(MIGRATIONS)}
    assert written == {"backend/shared/models/delivery.py"}


def test_every_suppression_gives_its_reason() -> None:
    """`# noqa: X` and `# type: ignore[x]` continue with a reason in words, or follow a comment."""
    bare = re.compile(r"#\s*(noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\])\s*$")
    unexplained = []
    for path in source_files.python():
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            above = lines[number - 2].strip() if number > 1 else ""
            if bare.search(line) and not above.startswith("#"):
                unexplained.append(f"{source_files.name_of(path)}:{number}")
    assert unexplained == []
