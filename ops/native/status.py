"""`luna status`: what the supervisor wrote down, checked against what the parts say now."""

import fcntl
import json
import os
from typing import Any

from ops.home import ROOT, Home, read_json
from ops.native.topology import COMPONENTS
from ops.servers import environment, probes
from ops.servers.environment import SERVICES

ACCOUNTS = ROOT / "ops" / "demo" / "library" / "accounts.json"
EMPTY_ROW = {"state": "down", "pid": None, "restarts": 0, "since": None, "endpoint": None}


def is_running(home: Home) -> bool:
    """Does a supervisor hold this home's lock? True from its first moment to its last."""
    try:
        with home.lock_file.open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def of(home: Home) -> dict[str, Any]:
    """The state of this home, in the shape that `status --json` prints."""
    if not is_running(home):
        rows = [{"name": name, **EMPTY_ROW} for name in COMPONENTS]
        return {"address": None, "state": "down", "services": rows, "accounts": []}
    written = written_by_the_living(home)
    found = {row["name"]: row for row in written.get("services", [])}
    ordered = [found.get(name, {"name": name, **EMPTY_ROW}) for name in COMPONENTS]
    others = [row for name, row in found.items() if name not in COMPONENTS]
    return {
        "address": written.get("address"),
        "state": written.get("state", "starting"),
        "services": ordered + others,
        "accounts": accounts(home),
    }


def written_by_the_living(home: Home) -> dict[str, Any]:
    """What the supervisor that runs now wrote; empty until it did, whatever an earlier one left."""
    written = read_json(home.state_file)
    try:
        os.kill(written["pid"], 0)
    except (KeyError, ProcessLookupError):
        return {}
    return written


def asked(home: Home) -> dict[str, Any]:
    """The same, after asking every part itself: one that runs but does not answer shows."""
    now = of(home)
    for row in now["services"]:
        if row["state"] == "ready" and not _answers(row):
            row["state"] = "unresponsive"
            now["state"] = "degraded" if now["state"] == "ready" else now["state"]
    return now


def _answers(row: dict[str, Any]) -> bool:
    name, endpoint = row["name"], row["endpoint"]
    if name == "postgres":
        return probes.postgres_answers(endpoint)
    if name == "redis":
        return probes.redis_answers(endpoint)
    if name == "nginx":
        return probes.http_answers(endpoint, "/health")
    if name.removesuffix("-service") in SERVICES:
        return probes.http_answers(endpoint, "/health/ready")
    return True  # it listens on nothing: the supervisor knows it lives


def accounts(home: Home) -> list[dict[str, str]]:
    """The demo library's accounts when it was loaded; never in production."""
    production = environment.base().get("LUNA_ENVIRONMENT") == "production"
    if production or not (home.postgres / "demo.done").exists():
        return []
    return demo_accounts()


def demo_accounts() -> list[dict[str, str]]:
    """Who can sign in to the demo library, as its file says."""
    found = json.loads(ACCOUNTS.read_text(encoding="utf-8"))
    return [{key: row[key] for key in ("role", "email", "password")} for row in found]
