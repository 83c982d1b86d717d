"""The plugin that runs the tests in forks of the process that has collected them."""

import subprocess
import sys
from pathlib import Path

from ops.commands.suites import PLUGINS
from ops.home import ROOT

_OUTPUT = """
    import os, pytest
    LOADED_BY = os.getpid()
    @pytest.mark.parametrize("number", range(3))
    def test_it(number):
        print(f"said by {number}")
        assert os.getpid() == LOADED_BY, number
"""

_IN_ORDER = """
    import os, pytest
    @pytest.mark.parametrize("number", range(3))
    def test_it(number):
        assert int(os.environ.pop(__name__, "0")) == number
        os.environ[__name__] = str(number + 1)
"""
_ONE_PLACE = """
import os, pytest
@pytest.fixture(scope="session", autouse=True)
def place(request):
    yield
    (request.config.rootpath / f"{os.getpid()}.ended").touch(exist_ok=False)
"""


def _run(folder: Path, *words: str, **modules: str) -> tuple[int, str]:
    for name, text in modules.items():
        lines = [line[4:] for line in text.splitlines()]
        (folder / f"test_{name}.py").write_text("\n".join(lines))
    command = [sys.executable, "-m", "pytest", *PLUGINS, "-p", "no:cacheprovider"]
    done = subprocess.run(  # noqa: S603 (pytest)
        [*command, "--forks", "2", "--rootdir", folder, *words, folder],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_each_test_runs_once_in_a_fork_and_shows_its_own_output(tmp_path: Path) -> None:
    code, output = _run(tmp_path, one=_OUTPUT, two=_OUTPUT)
    assert code == 1
    assert "6 failed" in output
    for number in range(3):
        assert output.count(f"said by {number}\n") == 2


def test_first_failure_ends_the_run_with_x(tmp_path: Path) -> None:
    code, output = _run(tmp_path, "-x", one=_OUTPUT)
    assert code == 1
    assert "1 failed" in output


def test_fork_that_ends_fails_the_run_and_names_the_test(tmp_path: Path) -> None:
    code, output = _run(tmp_path, one="    import os\n    def test_it():\n        os._exit(0)\n")
    assert code == 1
    assert "a fork ended in test_one.py::test_it" in output


def test_parts_run_whole_and_session_fixtures_end_in_each_fork(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(_ONE_PLACE)
    code, output = _run(tmp_path, **dict.fromkeys(("one", "two", "three", "four"), _IN_ORDER))
    assert code == 0, output
    assert "12 passed" in output
    assert len(list(tmp_path.glob("*.ended"))) == 2


def test_exit_of_a_test_ends_the_run_with_its_code(tmp_path: Path) -> None:
    module = '    import pytest\n    def test_it():\n        pytest.exit("so", returncode=5)\n'
    code, output = _run(tmp_path, one=module)
    assert code == 5
    assert "so" in output
