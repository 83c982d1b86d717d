"""The check for known vulnerabilities among the locked packages."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.commands.security import advisories

pytestmark = pytest.mark.unit

_LOCK = "python-jose==3.3.0 \\\n    --hash=sha256:00\nPyJWT==2.15.1 ; python_version >= '3.9'\n"


def _advisory(**affected: Any) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": affected.pop("name", "python-jose")}
    return {
        "id": "GHSA-x",
        "aliases": ["CVE-2024-33663"],
        "summary": "Algorithm confusion",
        "affected": [{"package": package, **affected}],
    }


def _range(*events: dict[str, str]) -> dict[str, Any]:
    return _advisory(ranges=[{"type": "ECOSYSTEM", "events": list(events)}])


def _found(feed: list[dict[str, Any]], accepted: Any = ()) -> list[str]:
    return list(advisories.problems(_LOCK, feed, list(accepted)))


@pytest.mark.parametrize(
    ("advisory", "is_affected"),
    [
        (_advisory(versions=["3.3.0"]), True),
        (_advisory(versions=["3.2.0"]), False),
        (_range({"introduced": "0"}, {"fixed": "3.4.0"}), True),
        (_range({"introduced": "0"}, {"fixed": "3.3.0"}), False),
        (_range({"introduced": "0"}, {"last_affected": "3.3.0"}), True),
        (_range({"introduced": "3.3.1"}), False),
        (_range({"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "3.0"}), True),
        (_advisory(name="pyjwt", versions=["2.15.1"]), True),
        (_advisory(name="another", versions=["3.3.0"]), False),
    ],
)
def test_vulnerable_version_is_named(advisory: dict[str, Any], *, is_affected: bool) -> None:
    assert bool(_found([advisory])) is is_affected


def test_accepted_advisory_is_not_named_until_its_acceptance_is_old() -> None:
    feed = [_advisory(versions=["3.3.0"])]
    today = datetime.now(UTC).date().isoformat()
    accepted = {"id": "CVE-2024-33663", "accepted_on": today, "reason": "…"}
    assert _found(feed, [accepted]) == []
    assert _found(feed, [{**accepted, "accepted_on": "2020-01-01"}]) == [
        "CVE-2024-33663: accepted on 2020-01-01, look at it again"
    ]


def test_check_reads_the_feed_of_the_setting_and_passes_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(advisories.SETTING, raising=False)
    assert advisories.check() == ""
    feed = tmp_path / "feed.json"
    everything = {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
    feed.write_text(json.dumps([_advisory(name="fastapi", **everything)]))
    monkeypatch.setenv(advisories.SETTING, str(feed))
    assert "fastapi" in advisories.check()
    monkeypatch.setenv(advisories.SETTING, "http://127.0.0.1:9/feed.json")
    assert advisories.check() == ""
    assert "not checked" in capsys.readouterr().out
