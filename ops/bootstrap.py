"""Makes `.venv` exactly as requirements.lock says. Run by ./luna with the system's Python.

Standard library only. uv, pinned, lives in a private environment and does the installing: it needs
a second where pip needs half a minute, and it checks every hash.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV_REQUIREMENT = ROOT / "ops" / "uv.lock.txt"
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "luna.lock"  # a copy of the lock that was installed, written last
BOOT = ROOT / ".luna" / "boot"


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run to the end; what went wrong is shown whole."""
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603 — our own commands, never a shell string
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(
            f"{done.stdout}{done.stderr}\n“{' '.join(words)}” failed, see above. The packages come "
            "from the Python package index: is the network there?"
        )
    return done.stdout


def make_environment(folder: Path, *, with_pip: bool) -> None:
    """A fresh virtual environment, unless a working one of this Python is there."""
    python = folder / "bin" / "python"
    question = "import sys; print(*sys.version_info[:2])"
    if python.exists():
        seen = subprocess.run(  # noqa: S603 — asks an interpreter for its version
            [str(python), "-c", question], capture_output=True, text=True, check=False
        )
        if seen.stdout.split() == [str(part) for part in sys.version_info[:2]]:
            return
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=with_pip, symlinks=True)


def uv() -> Path:
    """The pinned uv, installed the first time."""
    stamp = BOOT / "uv.lock.txt"
    if not stamp.exists() or stamp.read_bytes() != UV_REQUIREMENT.read_bytes():
        make_environment(BOOT, with_pip=True)
        pip = BOOT / "bin" / "python"
        run(pip, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", UV_REQUIREMENT)
        shutil.copyfile(UV_REQUIREMENT, stamp)
    return BOOT / "bin" / "uv"


def index() -> dict[str, str]:
    """Where pip is told to look, for uv, which does not read pip's settings."""
    if {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(os.environ):
        return {}
    asked = subprocess.run(  # noqa: S603 — our own pip
        [str(BOOT / "bin" / "python"), "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {"UV_DEFAULT_INDEX": asked.stdout.strip()} if asked.returncode == 0 else {}


def main() -> None:
    """Only one at a time: a second ./luna waits here and finds the work done."""
    BOOT.parent.mkdir(mode=0o711, exist_ok=True)
    with (BOOT.parent / "boot.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if STAMP.exists() and STAMP.read_bytes() == LOCK.read_bytes():
            return
        print("Preparing .venv from requirements.lock …", file=sys.stderr)
        program = uv()
        make_environment(ENVIRONMENT, with_pip=False)
        own = {
            "UV_SYSTEM_CERTS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_LINK_MODE": "copy",  # a venv that survives a cleaned cache
            "VIRTUAL_ENV": str(ENVIRONMENT),
        }
        run(
            *(program, "pip", "sync", "--quiet", "--require-hashes", LOCK),
            environment=os.environ | index() | own,
        )
        shutil.copyfile(LOCK, STAMP)


if __name__ == "__main__":
    main()
