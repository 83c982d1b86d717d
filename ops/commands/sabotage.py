"""`luna test sabotage`: the race tests must fail when a protection is switched off.

The code is copied to a temporary folder and a protection is cut out of the copy: the product has
no switch for it. First the tests must pass on an unchanged copy.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ops.home import ROOT

MAX_RUNS = 3  # within which a protection that is off must be noticed
COPIED = ("backend", "bridge", "ops", "tests", "docs", "web")
FILES = ("pyproject.toml", "requirements.lock", ".env.example", ".gitignore")


class SabotageError(Exception):
    """A protection is not where this file says."""


@dataclass(frozen=True)
class Cut:
    """A text in a file that occurs exactly once, and what replaces it."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Protection:
    """A protection: how it is switched off, and the tests that race against it."""

    name: str
    cuts: tuple[Cut, ...]
    tests: tuple[str, ...]


PROTECTIONS = (
    Protection(
        "loading proof",
        (
            Cut(
                "backend/shared/domain/command_rows.py",
                "    if proof is None:\n        raise RobotUnavailable",
                "    if proof is None:\n        return None\n        raise RobotUnavailable",
            ),
            Cut(
                "backend/shared/migrations/versions/0001_first_schema.sql",
                "CHECK (leg IS NULL OR leg = 'TO_SOURCE' OR loading_proof_id IS NOT NULL),",
                "CHECK (true),",
            ),
        ),
        ("tests/api/robot/test_loading_proof.py", "tests/api/delivery/test_races.py"),
    ),
    Protection(
        "inbox row",
        (
            Cut(
                "backend/shared/messaging/inbox.py",
                "new = [_received(row, last) for row in rows if row.id in inserted]",
                "new = [_received(row, last) for row in rows]",
            ),
            Cut(
                "backend/shared/messaging/inbox.py",
                "due = [row for row in rows if not row.done and row.dead_at is None]",
                "due = [row for row in rows if row.dead_at is None]",
            ),
        ),
        ("tests/shared/test_outbox_and_inbox.py",),
    ),
    Protection(
        "epoch fence",
        (
            Cut(
                "backend/robot/bridge_protocol/heartbeats.py",
                "if beat.epoch != robot.epoch:",
                "if beat.epoch < 0:",
            ),
            Cut(
                "backend/robot/bridge_protocol/command_leases.py",
                '            Robot.epoch == bindparam("for_epoch"),\n',
                "",
            ),
        ),
        ("tests/api/robot/test_commands.py",),
    ),
    Protection(
        "stop latch",
        (
            Cut(
                "backend/robot/bridge_protocol/command_leases.py",
                "RobotCommand.stop_version == stop_latches.version_of(Robot.id),",
                "RobotCommand.stop_version >= 0,",
            ),
        ),
        ("tests/api/robot/test_stop_latch.py",),
    ),
)


def run() -> int:
    """Switch each protection off in turn; return 1 when one of them is not noticed."""
    tests = sorted({test for protection in PROTECTIONS for test in protection.tests})
    with tempfile.TemporaryDirectory(prefix="luna-s-") as folder:
        copy = Path(folder) / "luna"
        _copy_code(copy)
        if not _pass(copy, tests):
            print("The tests fail without sabotage: repair them first.", file=sys.stderr)
            return 1
        unnoticed = [each.name for each in PROTECTIONS if not _is_noticed(copy, each)]
    if unnoticed:
        print(f"Not noticed in {MAX_RUNS} runs: {', '.join(unnoticed)}", file=sys.stderr)
    return 1 if unnoticed else 0


def _copy_code(target: Path) -> None:
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", ".luna")
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=ignored, symlinks=True)
    for name in FILES:
        shutil.copy(ROOT / name, target / name)


def _is_noticed(copy: Path, protection: Protection) -> bool:
    """Switch it off, run its tests until they fail, and switch it on again."""
    originals = {cut.file: (copy / cut.file).read_text(encoding="utf-8") for cut in protection.cuts}
    try:
        for cut in protection.cuts:
            apply(copy, cut)
        for number in range(1, MAX_RUNS + 1):
            if not _pass(copy, protection.tests):
                print(f"{protection.name} off: noticed in run {number}")
                return True
        print(f"{protection.name} off: NOT noticed in {MAX_RUNS} runs")
        return False
    finally:
        for file, text in originals.items():
            (copy / file).write_text(text, encoding="utf-8")


def apply(copy: Path, cut: Cut) -> None:
    """Make a cut in the copy; SabotageError when its text is not there exactly once."""
    path = copy / cut.file
    text = path.read_text(encoding="utf-8")
    if text.count(cut.old) != 1:
        raise SabotageError(f"{cut.file} no longer has this text once: {cut.old!r}")
    path.write_text(text.replace(cut.old, cut.new), encoding="utf-8")


def _pass(copy: Path, tests: list[str] | tuple[str, ...]) -> bool:
    """Run tests in the copy; raise SabotageError when they fail for another reason than a test."""
    command = [sys.executable, "-m", "ops", "test", *tests, "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(  # noqa: S603 — the luna command
        command, cwd=copy, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 and " failed" not in f" {_summary(done.stdout)}":
        raise SabotageError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == 0


def _summary(output: str) -> str:
    return next((line for line in reversed(output.splitlines()) if line.strip()), "")
