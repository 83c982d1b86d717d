"""Password hashes leave the processors to other requests."""

import os
import subprocess
import sys
import threading

import pytest

from backend.shared.web.security import passwords
from ops.home import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads exist on Linux alone")
def test_hashes_run_on_threads_of_lower_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Context:
        @staticmethod
        def verify_and_update(_password: str, _hash: str) -> tuple[bool, None]:
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return True, None

        @staticmethod
        def hash(_password: str) -> str:
            seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            return "$argon2id$"

    monkeypatch.setattr(passwords, "_passwords", Context)
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert passwords.hash_password("Loud-lamps-1") == "$argon2id$"
    assert passwords.verify_password("Loud-lamps-1", "$argon2id$") == (True, None)
    assert seen == [min(own + 10, 19)] * 2
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


def test_hashes_cost_what_is_recommended() -> None:
    """In a process of its own: the tests' own hashes cost little."""
    script = "from backend.shared.web.security import passwords as p; print(p.hash_password('x'))"
    done = subprocess.run(  # noqa: S603 — a constant program
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
