"""`luna up --docker`: the same nine services by Docker Compose, when an engine answers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ops import status as status_of_native
from ops.state import ROOT, Home, write_whole
from ops.topology import NINE

FILE = ROOT / "backend" / "docker" / "compose.yaml"
COMPOSE = ("docker", "compose", "-f", str(FILE))
STATES = {"running": "ready", "created": "starting", "restarting": "restarting"}


def is_chosen(home: Home, wish: bool | None) -> bool:  # noqa: FBT001 — yes, no, or no wish
    """Docker is used when its engine answers, unless natively was asked for or runs already."""
    if wish is False or status_of_native.is_running(home):
        return False
    if engine_answers():
        return True
    if wish:
        print("No Docker engine answers: starting natively.", file=sys.stderr)
    return False


def is_running(home: Home) -> bool:
    """True when this home was last started by Compose and the engine still answers."""
    return _mark(home).exists() and engine_answers()


def _mark(home: Home) -> Path:
    return home.path / "compose"


def engine_answers() -> bool:
    """True when the daemon and the compose plugin are both there."""
    if not shutil.which("docker"):
        return False
    for words in (("docker", "info"), ("docker", "compose", "version")):
        asked = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 — fixed words
        if asked.returncode != 0:
            return False
    return True


def _compose(*words: str, environment: dict[str, str] | None = None) -> int:
    own = os.environ | (environment or {})
    return subprocess.run([*COMPOSE, *words], env=own, check=False).returncode  # noqa: S603 — ours


def up(home: Home, *, port: int, detach: bool, fresh: bool) -> int:
    """Build what changed and start; with `detach`, return when every health check passes."""
    if fresh and (failed := _compose("down", "--volumes")):
        return failed
    home.path.mkdir(mode=0o711, exist_ok=True)
    write_whole(_mark(home), "")
    subprocess.run([str(FILE.with_name("make-secrets"))], check=True)  # noqa: S603 — ours
    words = ["up", "--build", *(("--detach", "--wait") if detach else ())]
    return _compose(*words, environment={"LUNA_PORT": str(port)})


def down(home: Home) -> int:
    _mark(home).unlink(missing_ok=True)
    return _compose("down")


def logs(service: str | None, *, follow: bool, lines: int) -> int:
    words = ["logs", "--tail", str(lines), *(("--follow",) if follow else ())]
    return _compose(*words, *((service,) if service else ()))


def status() -> dict[str, Any]:
    """The same shape as natively, from what Compose knows."""
    asked = subprocess.run(  # noqa: S603 — fixed words
        [*COMPOSE, "ps", "--all", "--format", "json"], capture_output=True, text=True, check=False
    )
    found = {row["Service"]: row for row in map(json.loads, asked.stdout.splitlines())}
    rows = [_row(name, found.get(name, {})) for name in NINE]
    states = {row["state"] for row in rows}
    overall = "ready" if states == {"ready"} else "degraded" if "ready" in states else "down"
    ports = found.get("nginx", {}).get("Publishers") or [{}]
    published = ports[0].get("PublishedPort")
    address = f"http://127.0.0.1:{published}" if published else None
    return {"address": address, "state": overall, "services": rows, "accounts": []}


def _row(name: str, seen: dict[str, Any]) -> dict[str, Any]:
    health = seen.get("Health") or "healthy"
    state = STATES.get(seen.get("State", ""), "down") if health == "healthy" else health
    return {
        "name": name,
        "state": state,
        "pid": None,
        "restarts": 0,
        "since": seen.get("CreatedAt"),
        "endpoint": seen.get("Name"),
    }
