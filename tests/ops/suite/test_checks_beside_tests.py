"""`luna test` runs the checks of `luna lint` beside the tests."""

import subprocess
import sys

import pytest

from ops.home import ROOT

_CODE = """
import signal, sys
from ops.commands import develop, lint, suites
lint.run = lambda rules: print("checked") or {failed}
suites.run = lambda *_, **__: {tests}
sys.exit(develop._run_beside_checks(coverage=False))
"""


@pytest.mark.parametrize(
    ("failed", "tests", "code"), [(1, "signal.pause()", 1), (0, "0", 0), (0, "3", 3)]
)
def test_failed_check_ends_tests_that_still_run(failed: int, tests: str, code: int) -> None:
    done = subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-c", _CODE.format(failed=failed, tests=tests)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "checked" in done.stdout
