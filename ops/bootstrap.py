"""Install requirements.lock into `.venv`. Run by ./luna with the system's Python.

Standard library only. A pinned uv in an environment of its own installs the packages: it checks
every hash, and takes a second where pip takes half a minute.
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
STAMP = ENVIRONMENT / "luna.lock"  # copy of the installed lock, written last
BOOT = ROOT / ".luna" / "boot"


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command; return its output, or exit with its error output."""
    words = [str(word) for word in command]
    done = subprocess.run(  # noqa: S603 — fixed commands, no shell
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(
            f"{done.stdout}{done.stderr}\n“{' '.join(words)}” failed, see above. It installs "
            "packages from the Python package index: check the network."
        )
    return done.stdout


def make_environment(folder: Path, *, with_pip: bool) -> None:
    """Create a virtual environment, unless there is one of this Python version."""
    python = folder / "bin" / "python"
    script = "import sys; print(*sys.version_info[:2])"
    if python.exists():
        version = subprocess.run(  # noqa: S603 — prints the version of an interpreter
            [str(python), "-c", script], capture_output=True, text=True, check=False
        )
        if version.stdout.split() == [str(part) for part in sys.version_info[:2]]:
            return
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=with_pip, symlinks=True)


def uv() -> Path:
    """Return the path of the pinned uv; install it if needed."""
    stamp = BOOT / "uv.lock.txt"
    if not stamp.exists() or stamp.read_bytes() != UV_REQUIREMENT.read_bytes():
        make_environment(BOOT, with_pip=True)
        pip = BOOT / "bin" / "python"
        run(pip, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", UV_REQUIREMENT)
        shutil.copyfile(UV_REQUIREMENT, stamp)
    return BOOT / "bin" / "uv"


def index() -> dict[str, str]:
    """Return the package index of pip's settings for uv, which does not read them."""
    if {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(os.environ):
        return {}
    configured = subprocess.run(  # noqa: S603 — the pip beside uv
        [str(BOOT / "bin" / "python"), "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {"UV_DEFAULT_INDEX": configured.stdout.strip()} if configured.returncode == 0 else {}


def main() -> None:
    """Install under a lock: a second ./luna waits and finds the packages installed."""
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
            "UV_LINK_MODE": "copy",  # the environment survives a cleaned cache
            "VIRTUAL_ENV": str(ENVIRONMENT),
        }
        run(
            *(program, "pip", "sync", "--quiet", "--require-hashes", LOCK),
            environment=os.environ | index() | own,
        )
        shutil.copyfile(LOCK, STAMP)


if __name__ == "__main__":
    main()
