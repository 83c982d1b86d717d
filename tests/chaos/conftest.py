"""A LUNA of its own with four robots and ten students, and the options of the run."""

import json
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.workload import PASSWORD, STUDENTS, student_email
from tests.e2e.conftest import System
from tests.ports import free_port

START_TIMEOUT = 240.0  # seconds
SETTINGS = {
    "LUNA_GATEWAY_LIMITS": "off",  # every client has the same address
    "LUNA_UNRESPONSIVE_TIMEOUT": "PT5S",  # a stopped part is restarted within the run
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chaos")
    group.addoption("--seconds", type=int, default=90, help="length of the chaos; on demand 600")
    group.addoption("--seed", type=int, default=None, help="repeat the faults of an earlier run")


@pytest.fixture(scope="session")
def seconds(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--seconds"))


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    given = pytestconfig.getoption("--seed")
    return secrets.randbelow(1_000_000) if given is None else int(given)


def _accounts() -> list[dict[str, str]]:
    return [
        {
            "email": student_email(number),
            "password": PASSWORD,
            "first_name": "Student",
            "last_name": f"Number {number}",
            "role": "STUDENT",
        }
        for number in range(STUDENTS)
    ]


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Start LUNA with the demo library; stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="luna-x-") as folder:
        running = System(Path(folder) / "home")
        running.environment |= SETTINGS
        words = ("--detach", "--native", "--no-web", "--robots", "4", "--speed", "60")
        started = running.luna("up", *words, "--port", str(free_port()), timeout=START_TIMEOUT)
        try:
            assert started.returncode == 0, started.stdout + started.stderr
            library = Path(folder) / "students.json"
            library.write_text(json.dumps({"accounts": _accounts()}))
            loaded = running.luna("seed", str(library))
            assert loaded.returncode == 0, loaded.stdout + loaded.stderr
            yield running
        finally:
            running.close()
            running.luna("down")
