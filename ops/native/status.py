"""`luna status`: the state that the supervisor wrote, checked by probes."""

import fcntl
import json
import os
from typing import Any

from backend.shared.infra.services import SERVICES
from ops.home import ROOT, Home, read_json, secret
from ops.native.topology import COMPONENTS
from ops.servers import environment, probes

ACCOUNTS = ROOT / "ops" / "demo" / "library" / "accounts.json"
EMPTY_ROW = {"state": "down", "pid": None, "restarts": 0, "since": None, "endpoint": None}


def is_running(home: Home) -> bool:
    """Return whether a supervisor holds this home's lock."""
    try:
        with home.lock_file.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def current(home: Home) -> dict[str, Any]:
    """Return the state of this home in the shape of `status --json`."""
    if not is_running(home):
        rows = [{"name": name, **EMPTY_ROW} for name in COMPONENTS]
        return {"address": None, "state": "down", "services": rows, "accounts": []}
    state = running_state(home)
    found = {row["name"]: row for row in state.get("services", [])}
    ordered = [found.get(name, {"name": name, **EMPTY_ROW}) for name in COMPONENTS]
    others = [row for name, row in found.items() if name not in COMPONENTS]
    return {
        "address": state.get("address"),
        "state": state.get("state", "starting"),
        "services": ordered + others,
        "accounts": accounts(home),
    }


def running_state(home: Home) -> dict[str, Any]:
    """Read the state file; return {} when its supervisor has ended."""
    state = read_json(home.state_file)
    try:
        os.kill(state["pid"], 0)
    except (KeyError, ProcessLookupError):
        return {}
    return state


def probed(home: Home) -> dict[str, Any]:
    """Return the state after probing each component; one that hangs is "unresponsive"."""
    now = current(home)
    for row in now["services"]:
        if row["state"] == "ready" and not _responds(home, row):
            row["state"] = "unresponsive"
            now["state"] = "degraded" if now["state"] == "ready" else now["state"]
    return now


def _responds(home: Home, row: dict[str, Any]) -> bool:
    name, endpoint = row["name"], row["endpoint"]
    if name == "postgres":
        return probes.postgres_answers(endpoint)
    if name == "redis":
        return probes.redis_answers(endpoint, secret(home, "redis"))
    if name == "nginx":
        return probes.http_answers(endpoint, "/health")
    if name.partition("-service")[0] in SERVICES:
        return probes.http_answers(endpoint, "/health/ready")
    return True  # nothing to probe: the supervisor knows that the process exists


def accounts(home: Home) -> list[dict[str, str]]:
    """Return the accounts of the demo library if it is loaded; never in production."""
    production = environment.with_dotenv().get("LUNA_ENVIRONMENT") == "production"
    if production or not (home.postgres / "demo.done").exists():
        return []
    return demo_accounts()


def demo_accounts() -> list[dict[str, str]]:
    """Read the accounts of the demo library."""
    found = json.loads(ACCOUNTS.read_text(encoding="utf-8"))
    return [{key: row[key] for key in ("role", "email", "password")} for row in found]
