"""`luna up --docker`: the same nine services by Docker Compose, if Docker is running."""

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
from ops.home import ROOT, Home, write_atomically
from ops.native import status as native
from ops.native.topology import COMPONENTS
from ops.servers import probes

FILE = ROOT / "backend" / "docker" / "compose.yaml"
OVERLAY = FILE.with_name("compose.overlay.yaml")
READY_TIMEOUT = 600.0  # seconds; the first start builds the image
STATES = {"running": "ready", "created": "starting", "restarting": "restarting"}


def is_chosen(home: Home, docker: bool | None) -> bool:  # noqa: FBT001 — None: no option given
    """Return whether to use Docker: it is running, and neither option nor state say native."""
    if docker is False or native.is_running(home):
        return False
    if engine_is_running():
        return True
    if docker:
        print("Docker is not running: starting natively.", file=sys.stderr)
    return False


def is_running(home: Home) -> bool:
    """Return whether Compose started this home and Docker is running."""
    return _marker(home).exists() and engine_is_running()


def _marker(home: Home) -> Path:
    """Return the file that exists while Compose runs this home; "demo" in it: with the overlay."""
    return home.path / "compose"


def _with_demo(home: Home) -> bool:
    return _marker(home).exists() and _marker(home).read_text(encoding="ascii") == "demo"


def engine_is_running() -> bool:
    """Return whether the Docker daemon and the Compose plugin respond."""
    if not shutil.which("docker"):
        return False
    for words in (("docker", "info"), ("docker", "compose", "version")):
        done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 — fixed words
        if done.returncode != 0:
            return False
    return True


def _command(home: Home, *words: str) -> list[str]:
    overlay = ("-f", str(OVERLAY)) if _with_demo(home) else ()
    return ["docker", "compose", "-f", str(FILE), *overlay, *words]


def _compose(home: Home, *words: str, environment: dict[str, str] | None = None) -> int:
    own = os.environ | (environment or {})
    return subprocess.run(_command(home, *words), env=own, check=False).returncode  # noqa: S603 — fixed words


def up(home: Home, *, port: int, detach: bool, fresh: bool, demo: bool) -> int:
    """Build and start; with `detach`, return when the gateway responds."""
    home.path.mkdir(mode=0o711, exist_ok=True)
    write_atomically(_marker(home), "demo" if demo else "")
    if fresh and (failed := _compose(home, "down", "--volumes")):
        return failed
    environment = {"LUNA_PORT": str(port)} | ({"LUNA_ENVIRONMENT": "development"} if demo else {})
    words = ["up", "--build", *(("--detach",) if detach else ())]
    failed = _compose(home, *words, environment=environment)
    return failed if failed or not detach else _wait(home, port)


def _wait(home: Home, port: int) -> int:
    deadline = time.monotonic() + READY_TIMEOUT
    while not probes.http_answers(f"127.0.0.1:{port}", "/health"):
        if time.monotonic() > deadline:
            return _compose(home, "ps") or 1
        time.sleep(0.5)
    console.status(status(home))
    return 0


def down(home: Home) -> int:
    failed = _compose(home, "down")
    _marker(home).unlink(missing_ok=True)
    return failed


def restart(home: Home, service: str | None) -> int:
    """Replace the containers of each program: the new ones first, then the old ones end."""
    programs = [name for name in COMPONENTS if "-service" in name or name == "celery-worker"]
    wanted = [name for name in programs if service in {None, name, name.removesuffix("-service")}]
    for name in wanted:
        old = _containers(home, name)
        scale = ("up", "--detach", "--wait", "--no-deps", "--no-recreate", "--scale")
        if failed := _compose(home, *scale, f"{name}={2 * len(old)}", name):
            return failed
        for words in (("stop", *old), ("rm", *old)):
            done = subprocess.run(("docker", *words), check=False)  # noqa: S603, S607 — ids
            if done.returncode:
                return done.returncode
        if failed := _compose(home, *scale, f"{name}={len(old)}", name):
            return failed
    return 0 if wanted else 1


def _containers(home: Home, service: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 — fixed words
        _command(home, "ps", "--quiet", service), capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def logs(home: Home, service: str | None, *, follow: bool, lines: int) -> int:
    words = ["logs", "--tail", str(lines), *(("--follow",) if follow else ())]
    return _compose(home, *words, *((service,) if service else ()))


def run_inside(home: Home, module: str, *words: str, service: str = "celery-worker") -> int:
    """Run a module in a container; in the worker's with the operator's database role."""
    url = ("--env", "LUNA_DATABASE_URL_FILE=/secrets/operator/database_url")
    role = url if service == "celery-worker" else ()
    return _compose(home, "exec", *role, service, "python", "-m", module, *words)


def status(home: Home) -> dict[str, Any]:
    """Return the same structure as the native status."""
    done = subprocess.run(  # noqa: S603 — fixed words
        _command(home, "ps", "--all", "--format", "json"),
        capture_output=True,
        text=True,
        check=False,
    )
    found = {row["Service"]: row for row in map(json.loads, done.stdout.splitlines())}
    rows = [_row(name, found.get(name, {})) for name in COMPONENTS]
    states = {row["state"] for row in rows}
    overall = "ready" if states == {"ready"} else "degraded" if "ready" in states else "down"
    ports = found.get("nginx", {}).get("Publishers") or [{}]
    published = ports[0].get("PublishedPort")
    address = f"http://127.0.0.1:{published}" if published else None
    accounts = native.demo_accounts() if _with_demo(home) else []
    return {"address": address, "state": overall, "services": rows, "accounts": accounts}


def _row(name: str, container: dict[str, Any]) -> dict[str, Any]:
    health = container.get("Health") or "healthy"
    state = STATES.get(container.get("State", ""), "down") if health == "healthy" else health
    return {
        "name": name,
        "state": state,
        "pid": None,
        "restarts": 0,
        "since": _iso(container.get("CreatedAt")),
        "endpoint": container.get("Name"),
    }


def _iso(created: str | None) -> str | None:
    """Convert Docker's “2026-11-20 17:00:00 +0000 UTC” to ISO 8601."""
    if not created:
        return None
    moment = datetime.strptime(created[:25], "%Y-%m-%d %H:%M:%S %z")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
