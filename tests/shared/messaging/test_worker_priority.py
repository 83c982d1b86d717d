"""The worker runs below the services, also where Linux shares processors between sessions."""

import json
import subprocess
import sys

import pytest

_SHOWN = """
import json
import os
from pathlib import Path
from backend.shared.messaging import worker

def shown():
    file = Path("/proc/self/autogroup")
    return (file.read_text().split() if file.exists() else None) or ["none"]

before, nice = shown(), os.nice(0)
steps = []
for _ in range(2):
    worker._lower_priority()
    steps.append([os.nice(0) - nice, shown()[-1]])
    if os.getsid(0) != os.getpid():
        os.setsid()
print(json.dumps([(before[-1], nice), *steps]))
"""


def test_worker_lowers_its_own_session_but_no_other() -> None:
    done = subprocess.run(  # noqa: S603 (our own Python)
        [sys.executable, "-c", _SHOWN], capture_output=True, text=True, check=True
    )
    (before, niceness), in_session_of_another, in_own_session = json.loads(done.stdout)
    assert in_session_of_another == [min(10, 19 - niceness), before]
    assert in_own_session[0] == min(20, 19 - niceness)
    if in_own_session[1] == "none":
        pytest.skip("this kernel does not group sessions")
    assert in_own_session[1] == "10"
