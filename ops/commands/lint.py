"""`luna lint` and `luna fix`: every rule of the house that a program can check."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ops.bootstrap import BOOT, LOCK, index
from ops.console import console
from ops.home import ROOT

PROGRAMS = Path(sys.executable).parent
CODE = ("backend", "bridge", "ops", "tests")
RULES = ("tests/architecture", "tests/docker")  # rules written as tests: those that need no server
Check = Callable[[], str]  # what is wrong, or nothing


def _program(*words: str) -> Check:
    def run() -> str:
        done = subprocess.run(  # noqa: S603 — our own tools
            [str(PROGRAMS / words[0]), *words[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "failed"

    return run


def lock_names_no_address() -> str:
    """Whatever index was used at home is nobody's business, and no one else's machine has it."""
    lines = enumerate(LOCK.read_text(encoding="utf-8").splitlines(), 1)
    found = [f"{LOCK.name}:{number}: {line}" for number, line in lines if "://" in line]
    return "\n".join(found)


def lock_is_fresh() -> str:
    """Resolve again with the lock's own pins as wishes: any difference means it is out of date."""
    with tempfile.TemporaryDirectory() as folder:
        again = Path(shutil.copy(LOCK, folder))
        words = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header"]
        words += ["--no-annotate", "--group", "dev", "pyproject.toml", "--output-file", str(again)]
        done = subprocess.run(  # noqa: S603 — our own uv
            [str(BOOT / "bin" / "uv"), *words],
            cwd=ROOT,
            env=_uv_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return done.stderr.strip()
        if again.read_bytes() != LOCK.read_bytes():
            return "requirements.lock is not what pyproject.toml resolves to"
    return ""


def _uv_environment() -> dict[str, str]:
    return os.environ | index() | {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"}


def checks() -> dict[str, Check]:
    """Every check by the name it is reported under."""
    present = [path for path in CODE if (ROOT / path).exists()]
    rules = [path for path in RULES if (ROOT / path).exists()]
    found: dict[str, Check] = {
        "ruff: rules": _program("ruff", "check", "--quiet", "."),
        "ruff: format": _program("ruff", "format", "--check", "--quiet", "."),
        "mypy": _program("mypy", *present),
        "import contracts": _program("lint-imports"),
        "lock: no address": lock_names_no_address,
        "lock: fresh": lock_is_fresh,
        "documents: fresh": _program("python", "-m", "ops.docs.openapi", "--check"),
    }
    if rules:
        found["rules of the house"] = _program(
            "pytest", "-q", "-p", "ops.pytest_markers", "-m", "unit", *rules
        )
    return found


def run() -> int:
    """Run every check, also after one has failed; 1 when any did."""
    failed = 0
    for name, check in checks().items():
        began = time.monotonic()
        wrong = check()
        sign = "[red]✗[/red]" if wrong else "[green]✓[/green]"
        console.print(f"{sign} {name:<20}{time.monotonic() - began:6.1f} s")
        if wrong:
            failed = 1
            console.print(wrong, markup=False)
    return failed


def fix() -> int:
    """Mend style and make the generated documents anew, then say what is left."""
    _program("ruff", "check", "--fix", "--quiet", ".")()
    _program("ruff", "format", "--quiet", ".")()
    _program("python", "-m", "ops.docs.openapi")()
    return run()
