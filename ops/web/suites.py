"""`luna test web` and `luna test browser`: the tests of the web applications."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ops.home import ROOT
from ops.servers import prerequisites
from ops.servers.prerequisites import EXIT_MISSING, Prerequisite
from ops.web import build, node

SCHEMA = node.WEB / "packages" / "api" / "src" / "schema.d.ts"
PICTURES = node.WEB / "test-results" / "pictures"
CHROMIUM = Path(os.environ.get("LUNA_CHROMIUM", "/usr/bin/chromium"))
PACKAGES = ("chromium", "fonts-dejavu-core")
ROBOTS = 6
SPEED = 40
PORT = 18480
START_TIMEOUT = 60  # seconds
MODES = {"--core", "--short"}


def run(suite: str, arguments: Sequence[str]) -> int:
    """Run a suite of the web applications; return the exit code."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with node.build_lock():
            node.ensure_packages()
        return run_web() if suite == "web" else run_browser(arguments)
    except node.WebBuildError as failed:
        print(failed, file=sys.stderr)
        return 1


def run_web() -> int:
    """Check types, style, units, texts, build and budgets; return 1 when any fails."""
    checks: dict[str, Callable[[], None]] = {
        "types of the API: fresh": check_schema,
        "eslint": lambda: node.npm("run", "--silent", "lint"),
        "typescript": lambda: node.npm("run", "--silent", "typecheck"),
        "vitest": lambda: node.npm("run", "--silent", "unit"),
        "build and budgets": check_budgets,
    }
    failed = 0
    for name, check in checks.items():
        began = time.monotonic()
        problem = ""
        try:
            check()
        except node.WebBuildError as error:
            failed, problem = 1, str(error)
        print(f"{'✗' if problem else '✓'} {name:<26}{time.monotonic() - began:6.1f} s", flush=True)
        if problem:
            print(problem, flush=True)
    return failed


def generate_schema(target: Path) -> None:
    """Write the types of docs/openapi.json."""
    node.npm("run", "--silent", "types", "--", "--output", str(target))


def refresh_files() -> None:
    """Write the types of the API again, and copy the pictures of the last browser tests."""
    if node.PACKAGES.exists():
        with node.build_lock():
            node.ensure_packages()
        generate_schema(SCHEMA)
    for picture in PICTURES.glob("*.png"):
        shutil.copyfile(picture, ROOT / "docs" / "images" / picture.name)


def check_schema() -> None:
    """Compare the committed types with docs/openapi.json."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "schema.d.ts"
        generate_schema(fresh)
        if fresh.read_bytes() != SCHEMA.read_bytes():
            raise node.WebBuildError(f"{SCHEMA.relative_to(ROOT)} is stale: run ./luna fix")


def check_budgets() -> None:
    node.npm("run", "--silent", "budgets", "--", str(build.build()))


def run_browser(arguments: Sequence[str]) -> int:
    """Run Playwright against a LUNA of its own; return its exit code.

    `--core` leaves out accessibility, outages and speed; `--short` fails below half of a bar of
    speed, and measures it before what takes long. Other arguments go to Playwright.
    """
    if problem := _problem_of_chromium():
        packages = " ".join(PACKAGES)
        print(f"{problem} On Debian: apt-get install {packages}", file=sys.stderr)
        return EXIT_MISSING
    build.build()
    with tempfile.TemporaryDirectory(prefix="luna-b-") as folder:
        environment = node.environment() | {"LUNA_HOME": str(Path(folder) / "home")}
        for word in MODES.intersection(arguments):
            environment["LUNA_TEST_BROWSER"] = word.removeprefix("--")
        luna = str(ROOT / "luna")
        options = ["--native", "--detach", "--port", str(PORT)]
        fleet = ["--robots", str(ROBOTS), "--speed", str(SPEED)]
        try:
            _call([luna, "up", *options, *fleet], environment)
            status = _call([luna, "status", "--json"], environment)
            environment["LUNA_ADDRESS"] = json.loads(status)["address"]
            script = node.PACKAGES / "@playwright" / "test" / "cli.js"
            rest = [word for word in arguments if word not in MODES]
            words = [str(node.program()), str(script), "test", *rest]
            return subprocess.run(words, cwd=node.WEB, env=environment, check=False).returncode  # noqa: S603 — Playwright of the lock
        finally:
            subprocess.run([luna, "down"], env=environment, check=False)  # noqa: S603 — our command


def _problem_of_chromium() -> str:
    """Return why there is no Chromium to test with, or ""; install it first if that is allowed."""
    if not CHROMIUM.exists() and prerequisites.may_install():
        prerequisites.install([Prerequisite("Chromium", lambda: None, PACKAGES)])
    if not CHROMIUM.exists():
        return f"{CHROMIUM} is missing."
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "about:blank"]
    try:
        done = subprocess.run(  # noqa: S603 — the browser, with an empty page
            [str(CHROMIUM), *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=START_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{CHROMIUM} does not start: {error}."
    return "" if done.returncode == 0 else f"{CHROMIUM} does not start:\n{done.stderr[-2000:]}\n"


def _call(words: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 — our command
        words, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise node.WebBuildError(f"{words[1]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
