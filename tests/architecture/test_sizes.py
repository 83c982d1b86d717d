"""Limits of files and functions."""

import ast
from pathlib import Path

from tests.architecture import source_files

MAX_LINES = 300
MAX_FUNCTION_LINES = 40
BY_HAND = ("luna", ".ci/run", "backend/nginx/luna.conf.template", "backend/docker/compose.yaml")


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_over_300_lines() -> None:
    by_hand = [path for path in source_files.tracked() if source_files.name_of(path) in BY_HAND]
    assert len(by_hand) == len(BY_HAND)
    long = {
        source_files.name_of(path): lines
        for path in [*source_files.python(), *by_hand]
        if (lines := _lines(path)) > MAX_LINES
    }
    assert long == {}


def test_no_function_is_over_40_lines() -> None:
    long = {
        f"{source_files.name_of(path)}: {node.name}": lines
        for path in source_files.python()
        for node in ast.walk(source_files.parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_no_module_has_a_catch_all_name() -> None:
    catch_alls = {"utils", "util", "helpers", "helper", "common", "misc", "crud", "manager"}
    found = [
        name
        for name in map(source_files.name_of, source_files.tracked())
        if catch_alls & set(_words(name))
    ]
    assert found == []


def _words(name: str) -> list[str]:
    path = Path(name)
    return [*path.parent.parts, path.stem]
