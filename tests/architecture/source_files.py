"""The tracked files of the project and their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ops.home import ROOT

GENERATED = (
    "backend/shared/proto/gen/"  # checked as a whole by tests/architecture/test_rpc_contract.py
)
DATA = (".svg", ".json", ".csv", ".lock", ".png", ".txt")  # data, not text to review


@cache
def tracked() -> tuple[Path, ...]:
    """Return every tracked file that exists."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 (git is found where it is installed)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return tuple(path for path in paths if path.is_file())


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python(*folders: str) -> Iterator[Path]:
    """Yield the Python files below these folders, or of the whole project."""
    for path in tracked():
        name = name_of(path)
        inside = not folders or name.startswith(tuple(f"{f}/" for f in folders))
        if path.suffix == ".py" and inside and not name.startswith(GENERATED):
            yield path


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def attributes(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every dotted name in a file, like `session.commit`, with its line."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node), node.lineno


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the dotted name of every call in a file, with its line."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func), node.lineno
