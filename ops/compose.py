"""`luna up --docker`: the same nine services by Docker Compose, when an engine answers."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops import console
from ops.home import ROOT, Home, write_whole
from ops.native import status as native
from ops.native.topology import COMPONENTS
from ops.servers import probes

FILE = ROOT / "backend" / "docker" / "compose.yaml"
OVERLAY = FILE.with_name("compose.overlay.yaml")
READY_WITHIN = 600.0  # seconds; the first time an image is built
STATES = {"running": "ready", "created": "starting", "restarting": "restarting"}


def is_chosen(home: Home, wish: bool | None) -> bool:  # noqa: FBT001 — yes, no, or no wish
    """Docker is used when its engine answers, unless natively was asked for or runs already."""
    if wish is False or native.is_running(home):
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
    """Says that Compose runs this home; holds "demo" when it was started with the overlay."""
    return home.path / "compose"


def _with_demo(home: Home) -> bool:
    return _mark(home).exists() and _mark(home).read_text(encoding="ascii") == "demo"


def engine_answers() -> bool:
    """True when the daemon and the compose plugin are both there."""
    if not shutil.which("docker"):
        return False
    for words in (("docker", "info"), ("docker", "compose", "version")):
        asked = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 — fixed words
        if asked.returncode != 0:
            return False
    return True


def _command(home: Home, *words: str) -> list[str]:
    overlay = ("-f", str(OVERLAY)) if _with_demo(home) else ()
    return ["docker", "compose", "-f", str(FILE), *overlay, *words]


def _compose(home: Home, *words: str, environment: dict[str, str] | None = None) -> int:
    own = os.environ | (environment or {})
    return subprocess.run(_command(home, *words), env=own, check=False).returncode  # noqa: S603 — ours


def up(home: Home, *, port: int, detach: bool, fresh: bool, demo: bool) -> int:
    """Build what changed and start; with `detach`, return when the gateway answers."""
    home.path.mkdir(mode=0o711, exist_ok=True)
    write_whole(_mark(home), "demo" if demo else "")
    subprocess.run([str(FILE.with_name("make-secrets"))], check=True)  # noqa: S603 — ours
    if fresh and (failed := _compose(home, "down", "--volumes")):
        return failed
    environment = {"LUNA_PORT": str(port)} | ({"LUNA_ENVIRONMENT": "development"} if demo else {})
    words = ["up", "--build", *(("--detach",) if detach else ())]
    failed = _compose(home, *words, environment=environment)
    return failed if failed or not detach else _wait(home, port)


def _wait(home: Home, port: int) -> int:
    until = time.monotonic() + READY_WITHIN
    while not probes.http_answers(f"127.0.0.1:{port}", "/health"):
        if time.monotonic() > until:
            return _compose(home, "ps") or 1
        time.sleep(0.5)
    console.status(status(home))
    return 0


def down(home: Home) -> int:
    failed = _compose(home, "down")
    _mark(home).unlink(missing_ok=True)
    return failed


def logs(home: Home, service: str | None, *, follow: bool, lines: int) -> int:
    words = ["logs", "--tail", str(lines), *(("--follow",) if follow else ())]
    return _compose(home, *words, *((service,) if service else ()))


def run_inside(home: Home, module: str, *words: str) -> int:
    """Run a module of ours where the database can be reached with the owner's role."""
    return _compose(home, "exec", "celery-worker", "python", "-m", module, *words)


def status(home: Home) -> dict[str, Any]:
    """The same shape as natively, from what Compose knows."""
    asked = subprocess.run(  # noqa: S603 — fixed words
        _command(home, "ps", "--all", "--format", "json"),
        capture_output=True,
        text=True,
        check=False,
    )
    found = {row["Service"]: row for row in map(json.loads, asked.stdout.splitlines())}
    rows = [_row(name, found.get(name, {})) for name in COMPONENTS]
    states = {row["state"] for row in rows}
    overall = "ready" if states == {"ready"} else "degraded" if "ready" in states else "down"
    ports = found.get("nginx", {}).get("Publishers") or [{}]
    published = ports[0].get("PublishedPort")
    address = f"http://127.0.0.1:{published}" if published else None
    accounts = native.demo_accounts() if _with_demo(home) else []
    return {"address": address, "state": overall, "services": rows, "accounts": accounts}


def _row(name: str, seen: dict[str, Any]) -> dict[str, Any]:
    health = seen.get("Health") or "healthy"
    state = STATES.get(seen.get("State", ""), "down") if health == "healthy" else health
    return {
        "name": name,
        "state": state,
        "pid": None,
        "restarts": 0,
        "since": _iso(seen.get("CreatedAt")),
        "endpoint": seen.get("Name"),
    }


def _iso(created: str | None) -> str | None:
    """Docker writes “2026-11-20 17:00:00 +0000 UTC”."""
    if not created:
        return None
    moment = datetime.strptime(created[:25], "%Y-%m-%d %H:%M:%S %z")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
