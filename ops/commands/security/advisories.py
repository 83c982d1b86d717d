"""Check of `luna lint`: no locked package has a known vulnerability that nobody has accepted.

The feed is a JSON list of advisories in the OSV format, a file or an address, named by
LUNA_ADVISORY_FEED: package indexes behind a mirror have none of their own.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ops.home import ROOT

SETTING = "LUNA_ADVISORY_FEED"
ACCEPTED = Path(__file__).with_name("accepted_advisories.json")
MAX_AGE = timedelta(days=180)  # of an acceptance; then somebody looks again
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_TIMEOUT = 10.0  # seconds


def check() -> str:
    """Return the vulnerabilities found, empty if none, or if no feed can be reached."""
    source = os.environ.get(SETTING)
    if not source:
        return ""
    try:
        feed = _read(source)
    except (httpx.HTTPError, OSError) as error:
        print(f"advisories: not checked, the feed cannot be reached ({type(error).__name__})")
        return ""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return "\n".join(problems(lock, feed, json.loads(ACCEPTED.read_text(encoding="utf-8"))))


def problems(
    lock: str, feed: list[dict[str, Any]], accepted: list[dict[str, str]]
) -> Iterator[str]:
    """Yield each vulnerability of a locked version, and each acceptance that has grown old."""
    pins = {canonicalize_name(name): version for name, version in _PIN.findall(lock)}
    known = {entry["id"] for entry in accepted}
    for advisory in feed:
        names = {advisory["id"], *advisory.get("aliases", [])}
        for affected in advisory.get("affected", []):
            name = canonicalize_name(affected.get("package", {}).get("name", ""))
            version = pins.get(name)
            if version is not None and _is_affected(affected, version) and not names & known:
                yield f"{name} {version}: {advisory['id']} {advisory.get('summary', '')}".strip()
    for entry in accepted:
        if date.fromisoformat(entry["accepted_on"]) + MAX_AGE < datetime.now(UTC).date():
            yield f"{entry['id']}: accepted on {entry['accepted_on']}, look at it again"


def _read(source: str) -> list[dict[str, Any]]:
    if source.startswith(("https://", "http://")):
        text = httpx.get(source, timeout=_TIMEOUT).raise_for_status().text
    else:
        text = Path(source).read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)
    return found


def _is_affected(affected: dict[str, Any], version: str) -> bool:
    if version in affected.get("versions", []):
        return True
    try:
        return any(
            _in_range(each["events"], Version(version))
            for each in affected.get("ranges", [])
            if each.get("type") == "ECOSYSTEM"
        )
    except InvalidVersion:
        return False


def _in_range(events: list[dict[str, str]], version: Version) -> bool:
    """Apply the events of an OSV range in their order: introduced, fixed, last affected."""
    inside = False
    for event in events:
        (kind, bound), *_ = event.items()
        limit = Version(bound)
        if kind == "introduced" and version >= limit:
            inside = True
        elif (kind == "fixed" and version >= limit) or (
            kind == "last_affected" and version > limit
        ):
            inside = False
    return inside
