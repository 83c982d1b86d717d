"""The RPC contract: generate code from its .proto files, and check them with buf.

buf and its plugins are packages of the lock; none of this uses a network.
"""

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ops.home import ROOT

FOLDER = ROOT / "backend" / "shared" / "proto"
GENERATED = FOLDER / "gen"
PROGRAMS = Path(sys.executable).parent
_WHERE = FOLDER.relative_to(ROOT).as_posix()


def generate() -> None:
    """Replace the generated code; raise CalledProcessError with buf's output when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = _generated_into(Path(folder))
        shutil.rmtree(GENERATED, ignore_errors=True)
        shutil.copytree(fresh, GENERATED)


def stale_files() -> list[str]:
    """Return the generated files that differ from what the .proto files give."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = _generated_into(Path(folder))
        names = {
            path.relative_to(root).as_posix()
            for root in (fresh, GENERATED)
            for path in root.rglob("*.py")
        }
        return sorted(filecmp.cmpfiles(fresh, GENERATED, names, shallow=False)[1]) + sorted(
            name for name in names if (fresh / name).exists() != (GENERATED / name).exists()
        )


def lint() -> str:
    """Return what is wrong with the style of the contract, or ""."""
    return _problems("lint") or _problems("format", "--diff", "--exit-code", "--path", "luna")


def breaking() -> str:
    """Return what the contract breaks of the last tagged release that has one, or ""."""
    tag = _git("describe", "--tags", "--abbrev=0")
    if not tag or not _git("ls-tree", "--name-only", tag, f"{_WHERE}/buf.yaml"):
        return ""
    return breaking_against(f"{ROOT / '.git'}#tag={tag},subdir={_WHERE}")


def breaking_against(other: str) -> str:
    """Return what the contract breaks of another version, named as buf names inputs."""
    return _problems("breaking", "--against", other)


def _generated_into(folder: Path) -> Path:
    _buf("generate", "--output", str(folder)).check_returncode()
    return folder / "gen"


def _problems(*words: str) -> str:
    done = _buf(*words)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or "failed"


def _buf(*words: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")])
    return subprocess.run(  # noqa: S603 (buf of .venv, which finds its plugins in PATH)
        [str(PROGRAMS / "buf"), *words],
        cwd=FOLDER,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def _git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 (git is found where it is installed)
        ["git", *words],  # noqa: S607 (as above)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
