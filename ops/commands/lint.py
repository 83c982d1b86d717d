"""`luna lint` and `luna fix`: style, types, import contracts, lock file, rules."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ops.bootstrap import BOOT, LOCK, index
from ops.commands.security import advisories
from ops.console import console
from ops.home import ROOT
from ops.rpc import contract
from ops.web import suites

PROGRAMS = Path(sys.executable).parent
CODE = ("backend", "bridge", "ops", "tests")
RULES = ("tests/architecture", "tests/docker")  # the unit tests among them
LOCKS = {  # with the arguments that each is compiled from
    LOCK: ("--group", "dev", "pyproject.toml"),
    ROOT / "bridge" / "requirements.lock": (
        *("--constraint", "requirements.lock"),
        "bridge/pyproject.toml",
    ),
}
Check = Callable[[], str]  # returns the problem, or "" when there is none


def _program(*words: str) -> Check:
    def run() -> str:
        done = subprocess.run(  # noqa: S603 — tools of .venv
            [str(PROGRAMS / words[0]), *words[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "failed"

    return run


def lock_names_no_address() -> str:
    """Check that the lock files work with any package index."""
    return "\n".join(
        f"{lock.name}:{number}: {line}"
        for lock in LOCKS
        for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), 1)
        if "://" in line
    )


def npm_lock_names_no_address() -> str:
    """Check that the packages of `web/` can come from any registry."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    return "\n".join(
        f"{name}: {package['resolved']}"
        for name, package in packages["packages"].items()
        if "://" in package.get("resolved", "")
    )


def lock_is_fresh() -> str:
    """Resolve each lock again, preferring its pins; any difference means that it is stale."""
    return "\n".join(filter(None, (_stale(lock, words) for lock, words in LOCKS.items())))


def _stale(lock: Path, words: tuple[str, ...]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        again = Path(shutil.copy(lock, folder))
        options = ["--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate"]
        done = subprocess.run(  # noqa: S603 — the pinned uv
            [BOOT / "bin" / "uv", "pip", "compile", *options, *words, "--output-file", again],
            cwd=ROOT,
            env=_uv_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return done.stderr.strip()
        if again.read_bytes() != lock.read_bytes():
            return f"{lock.relative_to(ROOT)} is not what {words[-1]} resolves to"
    return ""


def _uv_environment() -> dict[str, str]:
    return os.environ | index() | {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"}


def checks(*, rules: bool) -> dict[str, Check]:
    """Return every check by the name it is reported under; `rules` are those written as tests."""
    found: dict[str, Check] = {
        "mypy": _program("mypy", *CODE),  # the longest first
        "ruff: rules": _program("ruff", "check", "--quiet", "."),
        "ruff: format": _program("ruff", "format", "--check", "--quiet", "."),
        "import contracts": _program("lint-imports"),
        "lock: no address": lock_names_no_address,
        "npm lock: no address": npm_lock_names_no_address,
        "lock: fresh": lock_is_fresh,
        "advisories: none open": advisories.check,
        "RPC contract: style": contract.lint,
        "RPC contract: compatible": contract.breaking,
    }
    if rules:
        found["architecture rules"] = _program(
            "pytest", "-q", "-p", "ops.pytest_markers", "-m", "unit", *RULES
        )
    return found


def _timed(check: Check) -> tuple[str, float]:
    began = time.monotonic()
    return check(), time.monotonic() - began


def run(*, rules: bool = True) -> int:
    """Run every check, two at a time, also after one has failed; return 1 when any did."""
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        results = {name: pool.submit(_timed, check) for name, check in checks(rules=rules).items()}
        for name, result in results.items():
            problem, seconds = result.result()
            sign = "[red]✗[/red]" if problem else "[green]✓[/green]"
            console.print(f"{sign} {name:<20}{seconds:6.1f} s")
            if problem:
                failed = 1
                console.print(problem, markup=False)
    return failed


def start_beside() -> int:
    """Run the checks that are no tests in a fork; returns its pid.

    It shows all results at once. If a check has failed, it ends this process by SIGTERM.
    """
    sys.stdout.flush()
    caller = os.getpid()
    if child := os.fork():
        return child
    failed = 1
    try:
        with console.capture() as shown:
            failed = run(rules=False)
        print(f"\n{shown.get()}", end="", flush=True)
        if failed:
            os.kill(caller, signal.SIGTERM)
    finally:
        os._exit(failed)


def fix() -> int:
    """Fix style, regenerate the documents, and run the checks."""
    _program("ruff", "check", "--fix", "--quiet", ".")()
    _program("ruff", "format", "--quiet", ".")()
    _program("python", "-m", "ops.docs.openapi")()
    suites.refresh_files()
    return run()
